package asyncio

import (
	"fmt"

	"github.com/asyncio-go/asyncio/internal/list"
)

// A waitlist is the tasks that wait for one object, in order of arrival, which
// is the order in which they are granted. The object belongs to the loop of the
// tasks that wait, from the first on, until that loop is closed.
type waitlist struct {
	e      *engine
	number int64 // names the object; counted by the loop
	tasks  list.List[task]
}

// bind makes the object one of the loop e, on which a task is about to wait.
func (w *waitlist) bind(e *engine, whose fmt.Stringer, fn string) {
	if w.e == e {
		return
	}
	if w.e != nil {
		w.unbind(e, whose, fn)
	}
	e.objects++
	w.e, w.number = e, e.objects
}

// unbind takes the object from the loop that it belonged to, which must be closed.
func (w *waitlist) unbind(e *engine, whose fmt.Stringer, fn string) {
	if w.e.state.Load() != loopClosed {
		panic(misuse(nil, "%s: %v is bound to %s, on which a task has waited for it, but was used on %s; "+
			"hand values from loop to loop with CallSoon or Submit", fn, whose, w.e, e))
	}
	unlink(&w.tasks)
}

// unlink empties the list of those who wait on a loop that is closed, and was left
// behind with them.
func unlink(tasks *list.List[task]) {
	for t := range tasks.All {
		t.coro.queued.Remove()
	}
}

// mustBeOn panics if the object is bound to another loop than e.
func (w *waitlist) mustBeOn(e *engine, whose fmt.Stringer, fn string) {
	if w.e != nil && w.e != e {
		w.bind(e, whose, fn)
	}
}

// add appends the task of an await that is about to park.
func (w *waitlist) add(t *task) { w.tasks.PushBack(&t.coro.queued, t) }

// mustNotRace panics if the object is bound to a loop that another goroutine
// runs, or if the caller is on another loop.
func (w *waitlist) mustNotRace(fn string) {
	if w.e != nil && !w.e.owned() {
		w.e.mustNotRace(fn)
	}
}

// isElsewhere reports whether another goroutine runs the object's loop: only the
// name can be told then, which does not change.
func (w *waitlist) isElsewhere() bool { return w.e != nil && !w.e.owned() && !w.e.atRest() }

// nudge tells the host of a loop at rest that a task was woken.
func (w *waitlist) nudge() {
	if w.e != nil {
		w.e.nudge()
	}
}

// name is the object's name in messages: the type and, once a task has waited
// for it, a number.
func (w *waitlist) name(kind string) string {
	if w.number == 0 {
		return kind
	}
	return fmt.Sprintf("%s-%d", kind, w.number)
}

// count is the number of tasks that wait.
func (w *waitlist) count() (n int) {
	for range w.tasks.All {
		n++
	}
	return n
}

// length says how many tasks wait, and is empty if none does. It does not count
// on for ever: a report may name the object once for each that waits.
func length(tasks *list.List[task], what string) string {
	n := 0
	for range tasks.All {
		if n++; n > maxCounted {
			return fmt.Sprintf(" %s>%d", what, maxCounted)
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" %s=%d", what, n)
}

const maxCounted = 100

// noCopy makes go vet complain about copies of what embeds it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}
