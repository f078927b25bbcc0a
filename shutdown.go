package asyncio

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/asyncio-go/asyncio/internal/heap"
)

// A wind is the progress of a shutdown. It is kept outside of the goroutine
// that makes it, because a task may end that goroutine with Goexit, and another
// goes on.
type wind struct {
	deadline   windDeadline
	goexited   bool     // some task called Goexit: whoever runs the loop has to follow
	expired    bool     // the shutdown timeout is over
	gensClosed bool     // the generators have been closed: none may be started
	hopeless   bool     // and the time for deferred functions too
	left       []string // what had not ended by then
	panicked   any      // what left a Clock, a Chooser or an Executor
	failures   int      // in a row, without a step in between
	failedAt   uint64
}

// unwindGrace is how long deferred functions may await during a forced unwind.
const unwindGrace = time.Second

// A windDeadline ends a phase of the shutdown.
type windDeadline struct {
	e    *engine
	item heap.Item
	then func()
}

// expire implements expirer.
func (d *windDeadline) expire() { d.then() }

func (d *windDeadline) place() *heap.Item { return &d.item }

func (d *windDeadline) set(e *engine, in time.Duration, then func()) {
	d.e, d.then = e, then
	e.timers.Push(e.after(in), &d.item, d)
}

// strike lets the deadline expire now.
func (d *windDeadline) strike() {
	if d.item.Queued() {
		d.e.timers.Remove(&d.item)
	}
	if d.then != nil {
		d.then()
	}
}

// leave notes something that did not end in time.
func (w *wind) leave(what string) { w.left = append(w.left, what) }

// Close shuts the loop down as the end of [Run] does: it cancels the tasks that
// are left and awaits them, closes the generators, waits for the functions of
// [Blocking], and gives everything back. It returns a [ShutdownError] if that
// took longer than [LoopOptions.ShutdownTimeout], and an error that matches
// [ErrLoopRunning] if the loop runs. Closing a closed loop does nothing.
//
// The wait is not an await: it blocks the calling goroutine.
func (l *Loop) Close() error {
	defer runtime.KeepAlive(l)
	e := l.e
	if !e.state.CompareAndSwap(loopOpen, loopRunning) {
		if e.state.Load() == loopClosed {
			return nil
		}
		return fmt.Errorf("asyncio: Close: cannot close a running event loop: %w: %s; Stop it first, "+
			"and close it when its run has returned", ErrLoopRunning, e)
	}
	if e.thread != 0 && e.coros > 0 && e.thread != lockedThread() {
		e.state.Store(loopOpen)
		return fmt.Errorf("asyncio: Close: %s has tasks that can only be resumed on the goroutine that has locked its "+
			"thread for it (runtime.LockOSThread); close it there", e)
	}
	l.cleanup.Stop()
	e.register()
	left, goexited := e.shutdown()
	var panicked any
	if !e.abandoned.Load() {
		panicked = e.wind.panicked
	}
	e.unregister()
	e.inbox.shut()
	e.state.Store(loopClosed)
	if panicked != nil {
		panic(panicked)
	}
	if goexited {
		runtime.Goexit() // after a t.FailNow in a task: the test ends, and orderly
	}
	if len(left) > 0 {
		return &ShutdownError{left}
	}
	return nil
}

// shutdown runs the loop down to nothing, or leaves it at the deadline.
func (e *engine) shutdown() (left []string, goexited bool) {
	nothing := e.tasks.Empty() && e.gens.Empty() && e.executor.jobs.Empty() &&
		e.ready.Len() == 0 && !e.inbox.pending.Load()
	if e.thread != 0 || e.opts.Fence != nil || nothing && lockedThread() == 0 {
		// Inline: the coroutines can only be resumed here, or there is nothing
		// that could block, or it has to be the same every time.
		for !e.runDownHere() {
		}
		return e.wind.left, e.wind.goexited
	}
	done := make(chan struct{})
	go e.runDown(done)
	if !e.supervise(done) {
		return e.abandon(), false
	}
	return e.wind.left, e.wind.goexited
}

// runDownHere reports false if a Goexit was in the way; but that ends the
// calling goroutine, in whose deferred call it goes on.
func (e *engine) runDownHere() (finished bool) {
	defer func() {
		for !finished && !e.wind.hopelessFailure(e, nil) {
			finished = e.runDownHere()
		}
	}()
	e.takeOver()
	e.runDownPhases()
	e.g = 0
	return true
}

// runDown is the shutdown on a goroutine of its own, which Close can leave.
func (e *engine) runDown(done chan struct{}) {
	finished := false
	defer func() {
		if finished || e.wind.hopelessFailure(e, recover()) {
			e.g = 0
			close(done)
			return
		}
		// A task's Goexit took this goroutine along.
		go e.runDown(done)
	}()
	e.takeOver()
	e.runDownPhases()
	finished = true
}

// maxFailures is how often the shutdown begins again where it stopped, without
// a step in between: the Clock or the Executor of the loop is broken.
const maxFailures = 10

// hopelessFailure notes that something ended the shutdown early, a Goexit or
// the panic of value, and says whether to give up.
func (w *wind) hopelessFailure(e *engine, value any) bool {
	if w.failures++; e.steps != w.failedAt {
		w.failures, w.failedAt = 0, e.steps
	}
	if value != nil {
		w.panicked = value // for Close to pass on
	}
	if w.failures < maxFailures {
		return false
	}
	w.leave(fmt.Sprintf("the shutdown itself, which failed again and again: %v", value))
	return true
}

// runDownPhases may be entered again after a Goexit, and then goes on.
func (e *engine) runDownPhases() {
	w := &e.wind
	if !e.closing {
		e.closing = true
		if d := e.opts.ShutdownTimeout; d > 0 {
			w.deadline.set(e, d, func() { w.expired = true })
		} else {
			w.deadline.e, w.deadline.then = e, func() { w.expired = true }
		}
		c := newCancellation(context.Canceled, errShutdown)
		e.cancelTasks(c)
		e.root.cancel(c)
	}
	over := func() bool { return w.expired }
	e.turns(func() bool { return e.tasks.Empty() || over() })
	if !over() {
		e.closeGenerators()
		e.turns(func() bool { return e.gens.Empty() && e.tasks.Empty() || over() })
		e.turns(func() bool { return e.executor.jobs.Empty() || over() })
	}
	if over() {
		e.unwindLeft()
	}
	e.finalize()
}

// OnClose has f called on the loop when that closes, after its last task has ended, in
// reverse order of the calls: for packages that hold something for a loop. There is no
// way to take it back.
func (l *Loop) OnClose(f func()) {
	l.e.mustNotRace("Loop.OnClose")
	mustFunc(f != nil, "Loop.OnClose")
	if l.e.state.Load() == loopClosed {
		panic(misuse(ErrLoopClosed, "Loop.OnClose: %s is closed already; register before that", l.e))
	}
	l.e.closers = append(l.e.closers, l.e.newHandle(f, f))
}

// cancelTasks cancels every task, and interrupts them in order of creation.
func (e *engine) cancelTasks(c *cancellation) {
	var waiting []*task
	for t := range e.tasks.All {
		if t.scope.state.CompareAndSwap(nil, c) {
			t.scope.bridgeCancelled(c)
			t.scope.collect(c, &waiting)
		}
	}
	c.interrupt(waiting)
}

// finalize gives everything back once nothing runs any more.
func (e *engine) finalize() {
	e.reportFailures()
	for n := 0; !e.tasks.Empty() && n < maxFailures; n++ {
		e.turns(func() bool { return true }) // an exception handler may have spawned some
	}
	for e.timers.Len() > 0 {
		if t, ok := e.timers.Pop().(*timer); ok {
			t.drop()
		}
	}
	for e.ready.Len() > 0 {
		if h, ok := e.ready.Pop().(*Handle); ok {
			h.drop()
		}
	}
	e.slot = nil
	for len(e.closers) > 0 {
		last := e.closers[len(e.closers)-1]
		e.closers = e.closers[:len(e.closers)-1]
		last.step()
	}
	e.fds.closeAll()
	e.drainCoros()
}
