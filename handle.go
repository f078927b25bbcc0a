package asyncio

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/asyncio-go/asyncio/internal/gid"
	"github.com/asyncio-go/asyncio/internal/heap"
)

// A Handle is a scheduled callback. Its methods are safe from any goroutine.
type Handle struct {
	e       *engine
	fn      func()
	more    *handleMore // nil for most
	state   atomic.Uint32
	isTimer bool // the Handle begins a timer
}

// A handleMore is what few callbacks have, or only in debug mode: callbacks are
// many, and small.
type handleMore struct {
	shown any // the function to print, where fn only wraps it
	made  origin
}

const (
	handlePending uint32 = iota
	handleRan
	handleCancelled
	handleDropped // by the loop, which is closed
)

// A timer is what makes a Handle one of CallLater or CallAt.
type timer struct {
	Handle // first, so that a pointer to it is one to the timer
	item   heap.Item
	when   int64
	due    bool // in the next turn
}

// CallSoon has the loop call f in its next turn, after what is ready already.
// Calls run in the order in which they were made, those of other goroutines
// in the order of each. It is safe to call from any goroutine.
//
// A panic of f is reported and does not end the loop. f cannot await; it may
// start tasks, given a ctx. On a closed loop the handle comes back cancelled
// and its Err says so.
//
//go:noinline
func (l *Loop) CallSoon(f func()) *Handle {
	mustFunc(f != nil, "CallSoon")
	e := l.e
	h := &Handle{e: e, fn: f}
	if e.debug {
		h.more = &handleMore{made: origin(gid.CallerPC())}
	}
	if e.owned() {
		e.ready.Push(h)
	} else if !e.injectCall(injected{run: h.ready, lost: h.drop}) {
		h.refuse("CallSoon")
	}
	return h
}

// CallLater is [Loop.CallSoon] once d has passed on the loop's clock. With a d
// of zero or less it is called in the next turn. Callbacks with the same
// deadline run in the order in which they were scheduled.
//
//go:noinline
func (l *Loop) CallLater(d time.Duration, f func()) *Handle {
	mustFunc(f != nil, "CallLater")
	t := l.e.newTimer(f, gid.CallerPC())
	// Another goroutine's call counts from now too, not from when the loop
	// hears of it; the clock alone is safe to read.
	t.when, t.due = l.e.peekAfter(d), d <= 0
	t.schedule("CallLater")
	return &t.Handle
}

// CallAt is [Loop.CallLater] with the time at which f is called.
//
//go:noinline
func (l *Loop) CallAt(when time.Time, f func()) *Handle {
	mustFunc(f != nil, "CallAt")
	t := l.e.newTimer(f, gid.CallerPC())
	t.when = l.e.moment(when)
	t.schedule("CallAt")
	return &t.Handle
}

func (e *engine) newTimer(f func(), pc uintptr) *timer {
	t := &timer{Handle: Handle{e: e, fn: f, isTimer: true}}
	if e.debug {
		t.more = &handleMore{made: origin(pc)}
	}
	return t
}

func (t *timer) schedule(fn string) {
	if t.e.owned() {
		t.arm()
	} else if !t.e.injectCall(injected{run: t.arm, lost: t.drop}) {
		t.refuse(fn)
	}
}

func (t *timer) arm() {
	if t.state.Load() == handlePending {
		t.e.timers.Push(t.when, &t.item, t)
		if t.due || t.when <= t.e.now {
			t.e.nextCheck = t.e.steps // look at the timers in the next turn
		}
	}
}

func (t *timer) disarm() {
	if t.item.Queued() {
		t.e.timers.Remove(&t.item)
	}
}

// expire implements expirer.
func (t *timer) expire() { t.ready() }

func (t *timer) place() *heap.Item { return &t.item }

// newHandle is a callback that something else will make ready.
func (e *engine) newHandle(fn func(), shown any) *Handle {
	return &Handle{e: e, fn: fn, more: &handleMore{shown: shown}}
}

// refuse cancels a callback that a closed loop will not run, and says so.
func (h *Handle) refuse(fn string) {
	h.drop()
	h.e.log.Error(fmt.Sprintf("asyncio: %s: %s", fn, h.dropped()))
}

// drop takes the callback back because the loop is closed.
func (h *Handle) drop() { h.state.CompareAndSwap(handlePending, handleDropped) }

func (h *Handle) dropped() string {
	return fmt.Sprintf("%s is closed; the callback %s will not run", h.e, h.funcName())
}

// ready appends the callback to the ready queue.
func (h *Handle) ready() {
	if h.state.Load() == handlePending {
		h.e.ready.Push(h)
	}
}

// step implements runnable.
func (h *Handle) step() {
	if h.state.CompareAndSwap(handlePending, handleRan) {
		h.call()
	}
}

// call is not inlined: the watchdog looks for its frame.
//
//go:noinline
func (h *Handle) call() {
	defer func() {
		if r := recover(); r != nil {
			h.e.reportPanic(ExceptionContext{Message: "Exception in callback " + h.funcName(), Handle: h}, r)
		}
	}()
	h.e.calling = h
	h.fn()
}

// Cancel takes the callback back. It reports whether that was in time: whether
// the callback has not run and never will.
func (h *Handle) Cancel() bool {
	if !h.state.CompareAndSwap(handlePending, handleCancelled) {
		return h.Cancelled()
	}
	switch t := h.timer(); {
	case t == nil:
	case h.e.owned():
		t.disarm()
	default:
		h.e.inject(t.disarm)
	}
	return true
}

// Again schedules a callback of CallSoon that has run once more, and allocates nothing:
// for packages that have one to call after many of their operations. It reports false,
// and does nothing, if the callback has not run yet or was taken back. It must be called
// on the loop.
func (h *Handle) Again() bool {
	h.e.mustNotRace("Handle.Again")
	if h.isTimer || !h.state.CompareAndSwap(handleRan, handlePending) {
		return false
	}
	h.e.ready.Push(h)
	h.e.nudge()
	return true
}

// Cancelled reports whether the callback was taken back, by Cancel or by the
// closing of the loop, and will not run.
func (h *Handle) Cancelled() bool {
	s := h.state.Load()
	return s == handleCancelled || s == handleDropped
}

// Err is an error that matches [ErrLoopClosed] if the callback will not run
// because the loop is closed, and nil otherwise.
func (h *Handle) Err() error {
	if h.state.Load() != handleDropped {
		return nil
	}
	return misuse(ErrLoopClosed, "%s", h.dropped())
}

// When is the time for which CallLater or CallAt scheduled the callback; of
// CallSoon it is zero.
func (h *Handle) When() time.Time {
	t := h.timer()
	if t == nil {
		return time.Time{}
	}
	return h.e.shown(t.when)
}

// String is the handle as asyncio prints one.
func (h *Handle) String() string {
	kind, t := "Handle", h.timer()
	if t != nil {
		kind = "TimerHandle"
	}
	if h.Cancelled() {
		kind += " cancelled"
	}
	if t != nil {
		kind += fmt.Sprintf(" when=%.6f", time.Duration(t.when).Seconds())
	}
	return fmt.Sprintf("<%s %s()%s>", kind, h.funcName(), h.made().suffix())
}

//go:norace
func (h *Handle) funcName() string {
	if h.more != nil && h.more.shown != nil {
		return funcName(h.more.shown)
	}
	return funcName(h.fn)
}

func (h *Handle) timer() *timer {
	if !h.isTimer {
		return nil
	}
	return (*timer)(unsafe.Pointer(h))
}

func (h *Handle) made() origin {
	if h.more == nil {
		return 0
	}
	return h.more.made
}
