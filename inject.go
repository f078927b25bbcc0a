package asyncio

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asyncio-go/asyncio/internal/list"
	"github.com/asyncio-go/asyncio/internal/poll"
)

// An inbox takes what other goroutines have for a loop, and wakes the loop if
// it sleeps. It is the only part of a loop that they may touch.
type inbox struct {
	pending atomic.Bool // calls is not empty; read without the lock

	mu     sync.Mutex
	calls  []injected
	open   list.List[ticket] // submissions whose tasks are not done
	closed bool
	asleep bool         // the loop sleeps, or its host is to be told
	nap    *poll.Poller // in which it sleeps, or nil

	wake  chan struct{} // a token for the loop that sleeps elsewhere
	host  func()        // LoopOptions.OnWake
	timer *time.Timer   // belongs to the loop
	spare []injected    // belongs to the loop
}

// injected is a call that the loop makes when its next turn begins.
type injected struct {
	run func()
	// lost is called instead, on whatever goroutine, if the loop closes first.
	lost func()
	// completion marks a result of the executor: no order is promised between
	// those, so a Chooser may pick one.
	completion bool
}

// inject has the loop call f at the beginning of its next turn. It reports
// whether the loop is open.
func (e *engine) inject(f func()) bool { return e.injectCall(injected{run: f}) }

func (e *engine) injectCall(c injected) bool {
	if e.opts.Fence != nil && !e.owned() && e.state.Load() == loopRunning {
		_ = e.refuse("the loop was called from another goroutine", "a task")
		return false
	}
	return e.post(c)
}

// Fenced refuses, on a loop with a Fence, what is outside of it: the Fence is told, and
// the error returned. Other loops refuse nothing. It is for packages that use the system
// past the loop, to be called before they do; what is named and what is to be used instead
// are parts of the error's sentence.
func (l *Loop) Fenced(what, instead string) error { return l.e.refuse(what, instead) }

// refuse is [Loop.Fenced].
func (e *engine) refuse(what, instead string) error {
	if e.opts.Fence == nil {
		return nil
	}
	err := misuse(nil, "%s, which has no place in a simulation; use %s there", what, instead)
	e.opts.Fence(err)
	return err
}

// post is injectCall past the fence.
func (e *engine) post(c injected) bool {
	in := &e.inbox
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		return false
	}
	in.calls = append(in.calls, c)
	in.pending.Store(true)
	wake, nap := in.asleep, in.nap
	in.asleep, in.nap = false, nil
	in.mu.Unlock()
	switch {
	case !wake:
	case nap != nil:
		nap.Wake()
	default:
		in.rouse()
	}
	return true
}

// Wake implements [Waker].
func (e *engine) Wake() { e.inject(func() {}) }

// Closed implements [Waker].
func (e *engine) Closed() bool { return e.state.Load() == loopClosed }

func (in *inbox) rouse() {
	if in.host != nil {
		in.host()
	}
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// drain makes the injected calls.
func (e *engine) drain() {
	in := &e.inbox
	in.mu.Lock()
	calls := in.calls
	in.calls = in.spare[:0]
	in.pending.Store(false)
	in.mu.Unlock()
	made := 0
	defer func() {
		if made < len(calls) { // a Goexit, of an exception handler perhaps
			in.putBack(calls[made:])
		}
	}()
	for made < len(calls) {
		if e.chooser != nil && calls[made].completion {
			e.chooseCompletion(calls[made:])
		}
		c := calls[made]
		calls[made] = injected{}
		made++
		c.run()
	}
	in.spare = nil
	if cap(calls) <= maxSpareCalls {
		in.spare = calls
	}
}

// putBack returns calls that were not made to the front of the queue.
func (in *inbox) putBack(calls []injected) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.calls = append(slices.Clone(calls), in.calls...)
	in.pending.Store(true)
}

// maxSpareCalls bounds the memory that a burst of calls leaves behind.
const maxSpareCalls = 1024

// sleepUntilWoken returns when something was injected, when a descriptor has become
// ready, or when d has passed, and reports whether it was the last. A sleeping loop
// holds no thread. One without descriptors is parked on a channel, which a
// testing/synctest bubble counts as blocked.
func (e *engine) sleepUntilWoken(d time.Duration) (expired bool) {
	if e.fds.count > 0 {
		return e.nap(d)
	}
	in := &e.inbox
	if !in.mayRest(nil) {
		return false
	}
	if d == time.Duration(forever) {
		<-in.wake
		return false
	}
	if in.timer == nil {
		in.timer = time.NewTimer(d)
	} else {
		in.timer.Reset(d)
	}
	select {
	case <-in.wake:
		in.timer.Stop()
	case <-in.timer.C:
		expired = true
	}
	in.risen()
	return expired
}

// napYields is how often a loop yields the processor before it naps while a function
// runs elsewhere: many return before that, and a nap costs ten times as much.
const napYields = 3

// nap is sleepUntilWoken in the poller.
func (e *engine) nap(d time.Duration) (expired bool) {
	for i := 0; i < napYields && e.active > 0; i++ {
		if runtime.Gosched(); e.inbox.pending.Load() {
			return false
		}
	}
	p := e.fds.poller
	if d == time.Duration(forever) {
		d = -1
	}
	p.Arm(d) // first: a Wake must not be overtaken by it
	if !e.inbox.mayRest(p) {
		return false
	}
	events := p.Sleep()
	expired = e.inbox.risen() && !events
	if events {
		e.pollFDs()
	}
	return expired
}

// mayRest has the next injected call wake the loop, out of nap if it is not nil, or
// its host, unless there is one already.
func (in *inbox) mayRest(nap *poll.Poller) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.asleep, in.nap = len(in.calls) == 0, nap
	return in.asleep
}

// risen is called by a loop that has woken. It reports whether that was by itself.
func (in *inbox) risen() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	asleep := in.asleep
	in.asleep, in.nap = false, nil
	return asleep
}

// shut closes the inbox and tells what is still in it that it is lost.
func (in *inbox) shut() {
	in.mu.Lock()
	in.closed = true
	calls := in.calls
	in.calls = nil
	var open []*ticket
	for t := range in.open.All {
		open = append(open, t)
	}
	in.mu.Unlock()
	for _, t := range open {
		t.lost()
	}
	for _, c := range calls {
		if c.lost != nil {
			c.lost()
		}
	}
}

// Outside runs f on a goroutine of its own, and has the loop call what it returns. As
// long as that has not happened the loop is not deadlocked, whatever its tasks wait for;
// if the loop closes first, the result is dropped. A [LoopOptions].Fence keeps f from
// running. It must be called on the loop. It is
// for packages that wait for something that no descriptor tells of; tasks use
// [Blocking], which waits, and is bounded.
func (l *Loop) Outside(f func() (result func())) {
	l.e.mustNotRace("Loop.Outside")
	mustFunc(f != nil, "Loop.Outside")
	if l.e.refuse("Loop.Outside: a goroutine", "a task") == nil {
		l.e.outside(f)
	}
}

// outside runs f on a goroutine of its own and counts it as something that may
// wake the loop, until f's result, which is a call for the loop, was made.
func (e *engine) outside(f func() (result func())) {
	e.active++
	go func() {
		result := f()
		e.inject(func() {
			e.active--
			result()
		})
	}()
}
