// Package bugs is what the simulator is measured by: real bugs and classic ones, each
// as a program that has it and one that does not.
package bugs

import "github.com/asyncio-go/asyncio/sim"

// A Bug is one bug.
type Bug struct {
	Name  string // such as "etcd#6708", or "dining philosophers"
	From  string // where it is described
	What  string // what goes wrong, in a line
	Buggy sim.Func
	Fixed sim.Func
}

// Found reports whether a campaign has found a bug: whether its failure, which may be nil,
// is that of a run, and not of the program that was given to it.
func Found(f *sim.Failure) bool {
	if f == nil {
		return false
	}
	switch f.Kind {
	case sim.KindFence, sim.KindStrayed, sim.KindMissed, sim.KindEmpty:
		return false
	}
	return true
}
