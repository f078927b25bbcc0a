package asyncio

import (
	"context"
	"fmt"
	"runtime"

	"github.com/asyncio-go/asyncio/internal/list"
)

// A doom is how far the forced unwind of a task has come. It is the end of
// what ignores its cancellation beyond the shutdown timeout.
//
// Nothing but Goexit unwinds a coroutine for certain: stopping the iterator
// runs the rest of the body, and a panic ends in the first deferred recover.
// Goexit at the await runs the deferred functions and cannot be recovered, but
// takes the goroutine along that resumed the coroutine. So a doomed one is
// resumed by a goroutine that is made to be thrown away.
type doom uint8

const (
	spared   doom = iota
	asked         // not doomed at all: it is to tell its stack and wait on
	doomed        // its await does not return: it unwinds from there
	unwound       // runs its deferred functions, whose awaits work as always
	hopeless      // took too long over those: none of its awaits returns
)

// unwind is the panic that stands in for Goexit on a loop that is locked to its
// thread, where Go ends the process if another goroutine resumes a coroutine.
// It can be recovered: no promise there.
type unwind struct{}

// errGoexit is what a task ends with that called Goexit itself.
var errGoexit = fmt.Errorf("the task called runtime.Goexit, as t.FailNow and t.SkipNow do")

// errUnwound is what a task ends with that Unwind has ended.
var errUnwound error = &misuseError{"the task was unwound by force", nil}

// Unwind ends by force every task for which condemned is true, as the crash of a
// machine would: at its await, which does not return. Its deferred functions run, and
// none of their awaits returns either. A task that has not begun never does; the one
// that runs goes on to its next await. condemned must not await, and is asked in every
// turn until nothing is left of which it is true. Unwind itself does not wait.
//
// It is for simulations: what a task has half done stays half done, and locks whose
// release is not deferred stay locked. Programs cancel.
func (l *Loop) Unwind(condemned func(t AnyTask) bool) {
	l.e.mustNotRace("Loop.Unwind")
	mustFunc(condemned != nil, "Loop.Unwind")
	l.e.unwind(condemned, maxExits)
}

func (e *engine) unwind(condemned func(t AnyTask) bool, turns int) {
	left := false
	for _, l := range [...]*list.List[task]{&e.tasks, &e.gens} {
		for t := range l.All {
			if !condemned(t.face) {
				continue
			}
			left = true
			t.doom = hopeless
			if t.state == Created {
				t.group.release(t)
			}
			t.wake()
		}
	}
	if left && turns > 0 {
		e.ready.Push(&Handle{e: e, fn: func() { e.unwind(condemned, turns-1) }})
	}
}

// unwindLeft ends by force what the shutdown timeout has left: first so that
// deferred functions may await, then so that they may not.
func (e *engine) unwindLeft() {
	w := &e.wind
	empty := func() bool { return e.tasks.Empty() && e.gens.Empty() }
	if w.deadline.item.Queued() {
		e.timers.Remove(&w.deadline.item)
	}
	w.deadline.set(e, unwindGrace, func() { w.hopeless = true })
	e.condemnAll(doomed)
	e.turns(func() bool { return empty() || w.hopeless })
	w.deadline.strike()
	for n := 0; !empty() && n < maxExits; n++ {
		e.condemnAll(hopeless)
		e.turns(func() bool { return true })
	}
	for _, l := range [...]*list.List[task]{&e.tasks, &e.gens} {
		for t := range l.All {
			w.leave(t.face.String() + " cannot be unwound")
		}
	}
	for j := range e.executor.jobs.All {
		w.leave("function " + funcName(j.fn) + " still runs")
	}
	for _, line := range w.left {
		e.log.Error("asyncio: did not end in the shutdown: " + line)
	}
}

// maxExits bounds how many deferred functions that await a task may have that
// does not give up.
const maxExits = 10_000

func (e *engine) condemnAll(d doom) {
	for _, l := range [...]*list.List[task]{&e.tasks, &e.gens} {
		for t := range l.All {
			t.doom = d
			t.wake()
		}
	}
}

// unwindHere is where a doomed task's await ends.
func (t *task) unwindHere() {
	e := t.scope.e
	switch t.doom {
	case unwound:
		return
	case doomed:
		t.doom = unwound
		e.wind.leave(t.face.String() + " at " + userFrame())
	}
	if e.thread != 0 {
		panic(unwind{})
	}
	runtime.Goexit()
}

// resumeDoomed is resume for a task that may take the goroutine along.
func (e *engine) resumeDoomed(t *task) {
	if t.coro == nil {
		t.exited()
		return
	}
	if e.thread != 0 {
		e.resume(t)
		return
	}
	cur, g := e.cur, e.g
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.resume(t)
	}()
	<-done
	e.cur, e.g = cur, g
}

// exited ends a task whose function neither returned nor panicked.
func (t *task) exited() {
	e := t.scope.e
	cause := errShutdown
	switch {
	case t.doom == spared:
		cause = errGoexit
		e.wind.goexited = e.closing
	case !e.closing:
		cause = errUnwound
	}
	t.state = Cancelled
	t.face.finish(&newCancellation(context.Canceled, cause).CancelledError)
}
