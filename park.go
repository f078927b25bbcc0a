package asyncio

import (
	"context"
	"unsafe"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// An await is one suspension of a task: who waits, and what may end the wait
// early. Every await goes through here, in three steps:
//
//	a, err := newAwait(ctx, "Sleep")  // on the loop? cancelled already?
//	…                                 // queue a.t where it will be found
//	err = a.park("Sleep")             // until wake(a.t), or a cancellation
//
// The two outcomes exclude each other: whichever comes first takes the task
// out of every queue, so a grant is never given to a task that leaves, and a
// task that was granted something is told so even if it is cancelled in the
// same turn.
type await struct {
	t   *task
	s   *scope          // the scope that governs the wait, or nil
	ctx context.Context // the foreign context that governs it, or nil
}

// newAwait checks that the caller is a task on the loop of ctx, and finds what
// governs its wait. If that is cancelled already it gives up one turn, so that
// a task that ignores errors does not starve the others, and fails.
func newAwait(ctx context.Context, fn string) (await, error) {
	s, ok := ctx.(*scope)
	if !ok || !s.e.owned() || s.e.cur == nil || s.e.noAwait != 0 || s.up.Load() != nil {
		return newAwaitSlow(ctx, fn)
	}
	a := await{t: s.e.cur, s: s}
	if (s.state.Load() != nil || s.from.foreign != nil) && s.isCancelled() {
		return a, a.refuse()
	}
	return a, nil
}

// unhindered is the running task if it may await under ctx, a scope that is not
// cancelled, and nil where that takes a closer look. It is newAwait for where
// nearly always nobody has to wait.
func unhindered(ctx context.Context) *task {
	s, ok := ctx.(*scope)
	if ok && s.e.owned() && s.e.noAwait == 0 && s.up.Load() == nil && s.state.Load() == nil &&
		(s.from.foreign == nil || !s.isCancelled()) {
		return s.e.cur
	}
	return nil
}

func newAwaitSlow(ctx context.Context, fn string) (await, error) {
	a := await{t: runningTask(ctx, fn)}
	a.s, a.ctx = governor(ctx, fn)
	if a.s != nil && a.s.isCancelled() || a.ctx != nil && a.ctx.Err() != nil {
		return a, a.refuse()
	}
	return a, nil
}

// newJoin is newAwait for a wait that only a forced unwind ends.
func newJoin(ctx context.Context, fn string) await { return await{t: runningTask(ctx, fn)} }

// runningTask is the task that calls fn, which may wait and whose context is ctx.
func runningTask(ctx context.Context, fn string) *task {
	t := currentTask(ctx, fn)
	t.scope.e.mustMayAwait(fn)
	return t
}

// currentTask is the task that calls fn, whose context is ctx.
func currentTask(ctx context.Context, fn string) *task {
	e := loopOf(ctx, fn)
	e.mustOwn(fn)
	if e.cur == nil {
		panic(misuse(nil, "%s: called from a plain callback, which cannot wait; "+
			"start a task from it with Go or Spawn", fn))
	}
	return e.cur
}

// refuse gives up one turn and returns the cancellation.
func (a await) refuse() error {
	e := a.t.scope.e
	a.t.yieldTurn()
	if e.debug {
		a.t.countIgnored()
	}
	return a.cancellation()
}

func (a await) cancellation() error {
	if a.s != nil {
		return a.s.cancelled()
	}
	return &cancellationOf(a.ctx).CancelledError
}

// park suspends the task until [task.wake], and returns nil, or until what
// governs the wait is cancelled, and returns the cancellation. on is what the
// task waits for: a string or a fmt.Stringer.
func (a await) park(on any) error {
	t := a.t
	c := t.coro
	t.state, c.on, c.since = Waiting, on, t.scope.e.now
	if a.s != nil {
		a.s.parked.PushBack(&c.parked, t)
	}
	if a.ctx != nil {
		t.obey(a.ctx)
	}
	c.suspend()
	if t.doom != spared {
		t.resumeOddly()
	}
	c.on = nil
	if why := c.interrupted; why != nil {
		c.interrupted = nil
		return why
	}
	return nil
}

// join is park for a wait that only a forced unwind ends.
func (a await) join(on any) {
	a.t.coro.joins = true
	_ = await{t: a.t}.park(on)
	a.t.coro.joins = false
}

// suspend switches to the loop.
func (c *coro) suspend() {
	var here byte
	c.sp = uintptr(unsafe.Pointer(&here))
	c.yield(struct{}{})
}

// obey has the present wait end when ctx, which is no scope, is cancelled.
func (t *task) obey(ctx context.Context) {
	t.coro.foreign = t.scope.e.obey(ctx, func(c *cancellation) { t.interrupt(&c.CancelledError) })
}

// wake ends t's wait: what it waited for has happened. It reports whether t
// was waiting.
func (t *task) wake() bool {
	if t.state != Waiting {
		return false
	}
	t.leaveQueues()
	t.makeReady()
	return true
}

// waitsFor reports whether on is what t waits for. A wake-up that may come late,
// after a forced unwind has ended the wait, asks first.
func (t *task) waitsFor(on any) bool { return t.state == Waiting && t.coro.on == on }

// wakeNext is wake for a task that runs next, in this turn: one side of a
// generator.
func (t *task) wakeNext() {
	if t.state != Waiting || t.scope.e.slot != nil {
		t.wake()
		return
	}
	t.leaveQueues()
	t.state = Ready
	t.scope.e.slot = t
}

// leaveQueues takes t out of wherever it waits.
func (t *task) leaveQueues() {
	t.coro.parked.Remove()
	t.coro.queued.Remove()
	t.stopTimer()
	if f := t.coro.foreign; f != nil {
		f.dismiss()
		t.coro.foreign = nil
	}
}

func (t *task) stopTimer() {
	if t.coro != nil && t.coro.timer.Queued() {
		t.scope.e.timers.Remove(&t.coro.timer)
	}
}

// interrupt ends t's wait with an error. It reports whether t was waiting. One that
// its group holds back is let begin instead; it is cancelled and will not run.
func (t *task) interrupt(why error) bool {
	if t.state == Created {
		t.group.release(t)
	}
	if !t.wake() {
		return false
	}
	t.coro.interrupted = why
	return true
}

// makeReady appends t to the ready queue. It must not be in it.
func (t *task) makeReady() {
	t.state = Ready
	t.scope.e.ready.Push(t)
}

// yieldTurn gives up one turn; nothing cancels it.
func (t *task) yieldTurn() {
	t.makeReady()
	if t.scope.e.coros >= crowd {
		var here byte
		t.coro.sp = uintptr(unsafe.Pointer(&here))
	}
	t.coro.yield(struct{}{})
	if t.doom != spared {
		t.resumeOddly()
	}
}

// resumeOddly is called by a task that was resumed for another reason than to go
// on: to tell its stack, as often as it is asked, or to unwind.
func (t *task) resumeOddly() {
	for t.doom == asked {
		t.scope.e.answer = callers()
		t.coro.yield(struct{}{})
	}
	if t.doom != spared {
		t.coro.on = nil
		t.unwindHere()
	}
}

// owned reports whether the calling goroutine is the one that may touch the
// loop now. It reads a word that another goroutine may be writing; what it
// compares it with is its own identity, which only itself ever stores there.
//
//go:norace
func (e *engine) owned() bool { return e.g == gid.Current() }

// at rest means that no goroutine runs the loop.
//
//go:norace
func (e *engine) atRest() bool { return e.g == 0 }

// mustOwn panics unless the caller may wait on the loop: it is on the goroutine
// that runs it.
func (e *engine) mustOwn(fn string) {
	if !e.owned() {
		panic(e.strayCall(fn))
	}
}

// mustNotRace panics if the caller uses something of the loop while another
// goroutine runs the loop. At rest the loop belongs to whoever holds it.
func (e *engine) mustNotRace(fn string) {
	if !e.owned() && !e.atRest() {
		panic(e.strayCall(fn))
	}
}

// strayCall says why fn may not be called here.
func (e *engine) strayCall(fn string) error {
	switch here := loopHere(); {
	case here != nil:
		return misuse(nil, "%s: belongs to %s but was used on %s; "+
			"hand values from loop to loop with CallSoon or Submit", fn, e, here)
	case e.state.Load() == loopClosed:
		return misuse(ErrLoopClosed, "%s: %s is closed; nothing can run on it any more, make a new one", fn, e)
	case e.atRest():
		return misuse(nil, "%s: %s is not running; run it with RunUntilComplete or RunForever", fn, e)
	default:
		return misuse(nil, "%s: called from a goroutine that does not run %s; "+
			"from other goroutines use Loop.CallSoon or Submit", fn, e)
	}
}
