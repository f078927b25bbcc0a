package asyncio

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/asyncio-go/asyncio/internal/list"
	"github.com/asyncio-go/asyncio/internal/poll"
)

// ErrFDClosed is matched by the error of a wait for an [FD] that was closed, by
// Close or with its loop.
var ErrFDClosed = errors.New("the descriptor is no longer registered")

// An FD is a file descriptor of the system that a loop watches: a socket, a pipe,
// a terminal, or whatever else the system can poll. It belongs to the loop: its
// methods must be called there, unless the loop does not run. asyncio's add_reader
// and add_writer are a task that waits in a loop, or OnReadable and OnWritable.
type FD struct {
	e      *engine
	key    uint64 // its slot, and how many had it before
	fd     int32
	hungUp bool
	closed bool
	ended  func() // OnClose
	sides  [2]fdSide
}

// An fdSide is one direction of an FD.
type fdSide struct {
	f       *FD
	call    func() // to be called once, if armed
	waiting list.List[task]
	edge    bool // became ready, and nobody was told
	armed   bool
	queued  bool // it is in the ready queue, for an edge that came before
}

// fds is the descriptors of a loop.
type fds struct {
	poller   *poll.Poller // from the first Register on
	count    int
	told     Handle // of the callback that is called
	slots    []*FD
	uses     []uint32 // of each slot
	free     []uint32
	pending  []poll.Event // not dealt with yet
	over     bool         // the loop is closed as far as descriptors go
	watching bool         // guarded by inbox.mu: a goroutine waits in the place of a host's loop
}

// Register has the loop watch fd, which it makes non-blocking. The descriptor stays
// the caller's: to close it, call [FD.Close] first. A loop that is closed closes
// the FDs that are left, which [FD.OnClose] hears of.
//
// Descriptors that are always ready, such as those of regular files, cannot be
// registered, and on systems without a poller (Windows) none can.
func (l *Loop) Register(fd uintptr) (*FD, error) {
	e := l.e
	e.mustNotRace("Loop.Register")
	if e.opts.Fence != nil {
		return nil, e.refuse(fmt.Sprintf("Loop.Register(%d): a descriptor of the system", fd), "the simulated network")
	}
	if e.fds.over {
		return nil, fmt.Errorf("asyncio: Loop.Register: %w: %s; make a new one", ErrLoopClosed, e)
	}
	f, err := e.fds.add(e, int(fd))
	if err != nil {
		return nil, fmt.Errorf("asyncio: Loop.Register(%d): %w", fd, err)
	}
	return f, nil
}

func (x *fds) add(e *engine, fd int) (*FD, error) {
	if err := poll.Prepare(fd); err != nil {
		return nil, err
	}
	if x.poller == nil {
		p, err := poll.Open()
		if err != nil {
			return nil, err
		}
		x.poller = p
	}
	if len(x.free) == 0 {
		x.free = append(x.free, uint32(len(x.slots)))
		x.slots, x.uses = append(x.slots, nil), append(x.uses, 0)
	}
	slot := x.free[len(x.free)-1]
	f := &FD{e: e, fd: int32(fd), key: uint64(slot) | uint64(x.uses[slot]+1)<<32}
	f.sides[poll.Read].f, f.sides[poll.Write].f = f, f
	if err := x.poller.Add(fd, f.key); err != nil {
		return nil, err
	}
	x.free = x.free[:len(x.free)-1]
	x.slots[slot] = f
	x.uses[slot]++
	x.count++
	return f, nil
}

// WaitReadable waits until reading would not block: there is something to read, or
// the other side has closed, or there is an error. It returns at once if that is so
// already. Cancelling ctx ends the wait with a [CancelledError].
func (f *FD) WaitReadable(ctx context.Context) error {
	return f.wait(ctx, poll.Read, "FD.WaitReadable")
}

// WaitWritable is [FD.WaitReadable] for writing.
func (f *FD) WaitWritable(ctx context.Context) error {
	return f.wait(ctx, poll.Write, "FD.WaitWritable")
}

func (f *FD) wait(ctx context.Context, d poll.Direction, fn string) error {
	a, err := newAwait(ctx, fn)
	if err != nil {
		return err
	}
	if a.t.scope.e != f.e {
		panic(misuse(nil, "%s: %v belongs to %s but was used on %s; register the descriptor on the loop that uses it",
			fn, f, f.e, a.t.scope.e))
	}
	if f.closed {
		return f.closedError(fn)
	}
	s := &f.sides[d]
	if s.edge = false; poll.Ready(int(f.fd), d) {
		return nil
	}
	s.waiting.PushBack(&a.t.coro.queued, a.t)
	f.e.fds.poller.Expect(f.key, d)
	return a.park(s)
}

// OnReadable has the loop call call once the descriptor becomes readable, and only
// once; another call replaces the one before, and nil takes it back. It is
// edge-triggered, and costs no system call: read first, until that would block
// (EAGAIN) or returns fewer bytes than asked for. It may be called without need.
//
// call is a plain callback: it cannot await, and a panic of it is reported.
func (f *FD) OnReadable(call func()) { f.onReady(poll.Read, call, "FD.OnReadable") }

// OnWritable is [FD.OnReadable] for writing.
func (f *FD) OnWritable(call func()) { f.onReady(poll.Write, call, "FD.OnWritable") }

func (f *FD) onReady(d poll.Direction, call func(), fn string) {
	f.e.mustNotRace(fn)
	s := &f.sides[d]
	s.armed, s.call = call != nil && !f.closed, call
	switch {
	case !s.armed:
	case s.edge:
		s.edge = false
		if !s.queued {
			s.queued = true
			f.e.ready.Push(s)
			f.e.nudge()
		}
	default:
		f.e.fds.poller.Expect(f.key, d)
	}
}

// HungUp reports whether the other side is known to have ended, the connection to have
// failed, or urgent data to have come. OnReadable may not call any more then, after a
// read that returned fewer bytes than asked for: go on until that would block, the end
// of the stream, or an error.
func (f *FD) HungUp() bool { return f.hungUp }

// OnClose has ended called when the FD is closed, by Close or with the loop: the
// moment at which its owner closes the descriptor.
func (f *FD) OnClose(ended func()) {
	f.e.mustNotRace("FD.OnClose")
	f.ended = ended
}

// Close ends the watch, and fails whoever waits with an error that matches
// [ErrFDClosed]. It does not close the descriptor. Closing it twice does nothing.
func (f *FD) Close() {
	f.e.mustNotRace("FD.Close")
	if f.closed {
		return
	}
	f.closed = true
	x := &f.e.fds
	x.poller.Remove(int(f.fd), f.key)
	slot := uint32(f.key)
	x.slots[slot] = nil
	x.free = append(x.free, slot)
	x.count--
	for d := range f.sides {
		f.sides[d].armed, f.sides[d].call = false, nil
		for t := range f.sides[d].waiting.All {
			t.interrupt(f.closedError("FD.Close"))
		}
	}
	if ended := f.ended; ended != nil {
		f.ended = nil
		(&Handle{e: f.e, fn: ended}).call()
	}
	f.e.nudge()
}

func (f *FD) closedError(fn string) error {
	return fmt.Errorf("asyncio: %s: %w: %v", fn, ErrFDClosed, f)
}

// String is the FD as reports show it.
func (f *FD) String() string { return "<FD " + strconv.Itoa(int(f.fd)) + ">" }

// String is what a task waits for that waits for the side.
func (s *fdSide) String() string {
	if s == &s.f.sides[poll.Write] {
		return s.f.String() + " to be writable"
	}
	return s.f.String() + " to be readable"
}

// becameReady tells whoever wants to know.
func (s *fdSide) becameReady() {
	s.edge = !s.armed && s.waiting.Empty()
	for t := range s.waiting.All {
		t.wake()
	}
	s.tellNow()
}

// step implements runnable.
func (s *fdSide) step() {
	s.queued = false
	s.tellNow()
}

func (s *fdSide) tellNow() {
	if s.armed {
		s.armed = false
		told := &s.f.e.fds.told // one for all: such calls do not nest
		told.e, told.fn = s.f.e, s.call
		told.call()
	}
}

// pollFDs asks which descriptors have become ready and tells whoever waits.
func (e *engine) pollFDs() {
	x := &e.fds
	if len(x.pending) == 0 {
		x.pending = x.poller.Poll()
	}
	for len(x.pending) > 0 {
		if e.chooser != nil {
			e.chooseEvent(x.pending)
		}
		ev := x.pending[0]
		x.pending = x.pending[1:]
		slot := uint32(ev.Key)
		if ev.HungUp {
			x.hangUp(slot, ev.Key)
		}
		if ev.Readable {
			x.tell(slot, ev.Key, poll.Read)
		}
		if ev.Writable {
			x.tell(slot, ev.Key, poll.Write)
		}
	}
}

func (x *fds) hangUp(slot uint32, key uint64) {
	if f := x.slots[slot]; f != nil && f.key == key {
		f.hungUp = true
	}
}

// tell looks the FD up for each direction: a callback may have closed it.
func (x *fds) tell(slot uint32, key uint64, d poll.Direction) {
	if f := x.slots[slot]; f != nil && f.key == key {
		f.sides[d].becameReady()
	}
}

// watchForHost has the host told, by a goroutine, when a descriptor becomes ready.
func (e *engine) watchForHost() {
	in, x := &e.inbox, &e.fds
	if e.opts.OnWake == nil || x.count == 0 {
		return
	}
	in.mu.Lock()
	already := x.watching
	x.watching = true
	in.mu.Unlock()
	if already {
		return
	}
	x.poller.Watch(func() {
		in.mu.Lock()
		x.watching = false
		in.mu.Unlock()
		e.Wake()
	})
}

// closeAll closes what is left when the loop closes.
func (x *fds) closeAll() {
	x.over = true // or a callback could register another
	for _, f := range x.slots {
		if f != nil {
			f.Close()
		}
	}
	if x.poller != nil {
		_ = x.poller.Close()
		x.poller = nil
	}
}
