//go:build !unix

package poll

import "time"

// Name is which poller this is.
const Name = "none"

// A Poller does not exist on this system.
type Poller struct{}

// Open fails with ErrUnsupported.
func Open() (*Poller, error) { return nil, ErrUnsupported }

// The methods below are never called, because Open makes no Poller.

func (*Poller) Add(int, uint64) error    { return ErrUnsupported }
func (*Poller) Remove(int, uint64)       {}
func (*Poller) Expect(uint64, Direction) {}
func (*Poller) Poll() []Event            { return nil }
func (*Poller) Arm(time.Duration)        {}
func (*Poller) Sleep() (events bool)     { return false }
func (*Poller) Wake()                    {}
func (*Poller) Watch(func())             {}
func (*Poller) Close() error             { return nil }

// Ready reports that every operation may be tried.
func Ready(int, Direction) bool { return true }

// Prepare fails with ErrUnsupported.
func Prepare(int) error { return ErrUnsupported }
