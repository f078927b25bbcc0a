package asyncio

import (
	"iter"
	"runtime/debug"
	"runtime/pprof"

	"github.com/asyncio-go/asyncio/internal/gid"
	"github.com/asyncio-go/asyncio/internal/heap"
	"github.com/asyncio-go/asyncio/internal/list"
)

// A coro is a coroutine: a goroutine that the runtime switches to and from
// directly, without its scheduler. iter.Pull is the only portable door to that
// switch. A coro runs one task after another; between two it lies in its
// loop's free list.
//
// The rules of the switch, each of which ends the process when broken:
//   - It is made on the loop's goroutine, because the runtime remembers the
//     thread-lock state of the maker and insists on it at every switch.
//   - The stop function of the iterator is of no use: on a parked coroutine it
//     would not unwind but run the rest of the body. An idle one ends when it is
//     resumed without a job.
type coro struct {
	e     *engine
	g     uintptr // its goroutine's identity
	job   *task   // what it runs; nil while it is idle
	next  func() (struct{}, bool)
	yield func(struct{}) bool

	sp      uintptr // about where its stack ended when it was last suspended
	bracket *scope  // the innermost scope of the job, which operations without a ctx obey
	locks   *Lock   // the one that the job acquired last, which points on to the others it holds

	// The present wait of the job.
	on          any             // what it waits for: a string or a fmt.Stringer
	since       int64           // when the wait began, on the loop's clock when it was last read
	parked      list.Node[task] // in the parked list of the scope that governs it
	foreign     *foreign        // or the context that does, if it is no scope
	queued      list.Node[task] // in the waiters of what it waits for
	timer       heap.Item
	interrupted error  // why the wait ended, if not for its reason
	seen        uint32 // the last search of the wait graph that came by
	joins       bool   // nothing but a forced unwind ends the wait early
}

// maxIdleCoros bounds the free list, and with it what a burst of tasks leaves
// behind: 2.65 KiB each.
const maxIdleCoros = 1024

// takeCoro is a coroutine for t, used or new.
func (e *engine) takeCoro(t *task) *coro {
	if n := len(e.idleCoros); n > 0 {
		c := e.idleCoros[n-1]
		e.idleCoros[n-1] = nil
		e.idleCoros = e.idleCoros[:n-1]
		c.take(t)
		return c
	}
	c := &coro{e: e}
	e.coros++
	c.next, _ = iter.Pull(c.body())
	c.take(t)
	return c
}

// take makes t the coroutine's job.
func (c *coro) take(t *task) {
	c.job, c.bracket, t.coro = t, &t.scope, c
	c.on, c.interrupted, c.locks, c.joins = nil, nil, nil, false
}

// drainCoros ends the goroutines of the free list.
func (e *engine) drainCoros() {
	for i, c := range e.idleCoros {
		e.idleCoros[i] = nil
		c.next()
	}
	e.idleCoros = nil
}

// body is what the coroutine's goroutine runs from its first switch to its end. It is
// a function that returns one, because a method value would cost every stack a frame.
func (c *coro) body() iter.Seq[struct{}] {
	return func(yield func(struct{}) bool) {
		e := c.e
		c.yield, c.g = yield, gid.Current()
		// Another goroutine may get this identity as soon as this one has ended.
		defer func() { e.g = 0; e.coros-- }()
		pprof.SetGoroutineLabels(e.labels)
		for c.job != nil {
			e.g = c.g
			c.run()
			if !e.takeFresh(c) {
				c.job, c.bracket = nil, nil
				if len(e.idleCoros) == maxIdleCoros {
					return
				}
				e.idleCoros = append(e.idleCoros, c)
				yield(struct{}{}) // until takeCoro gives it a job, or drainCoros none
			}
		}
	}
}

// run runs the coroutine's task to its end, whichever way it ends.
func (c *coro) run() {
	t := c.job
	if c.e.debug {
		pprof.SetGoroutineLabels(c.e.taskLabels(t))
	}
	returned := false
	defer func() {
		var reports []ExceptionContext
		if c.locks != nil {
			reports = t.neverRelease()
		}
		t.coro = nil
		if !returned && !t.done { // or the exception handler called Goexit
			if r := recover(); r != nil {
				t.unwound(r)
			} else {
				// Goexit: the goroutine ends, and takes the one that resumed it along.
				t.exited()
			}
		}
		for _, r := range reports {
			c.e.report(r)
		}
	}()
	t.face.run()
	returned = true
}

// unwound ends the task with the panic that left its function.
func (t *task) unwound(value any) {
	if _, ok := value.(unwind); ok {
		t.exited()
		return
	}
	pe, _ := value.(*PanicError) // carried over from a Blocking function or a generator
	if pe == nil {
		pe = &PanicError{Value: value, Stack: debug.Stack(), where: t.face.Name()}
	}
	t.state = Panicked
	t.face.finish(pe)
}

// resume switches to t until it parks or ends. It returns to the goroutine
// that called it, which becomes the loop's again.
func (e *engine) resume(t *task) {
	prev, g := e.cur, e.g
	c := t.coro
	if c == nil {
		c = e.takeCoro(t)
	}
	t.state = Running
	e.cur, e.g = t, c.g
	c.next()
	e.cur, e.g = prev, g
}

// resumeEager is resume inside another task's step: a Goexit of t unwinds that
// task too, whose deferred functions must find themselves running.
func (e *engine) resumeEager(t *task) {
	prev, g, budget := e.cur, e.g, e.budget
	defer func() { e.cur, e.g, e.budget = prev, g, budget }()
	e.budget = 0 // its coroutine must come back, not go on with another task
	e.resume(t)
}

// ask has t, which is suspended, tell its stack into engine.answer. The stack of
// another goroutine cannot be read, but a coroutine can be resumed to read its own.
func (e *engine) ask(t *task) {
	cur, g, doom := e.cur, e.g, t.doom
	e.cur, e.g, t.doom = t, t.coro.g, asked
	t.coro.next()
	e.cur, e.g, t.doom = cur, g, doom
}
