package asyncio

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// deadlock is called when every task waits and provably nothing can wake one.
// It cancels them all, so that the program ends with an error instead of
// standing still.
func (e *engine) deadlock() {
	if e.closing {
		e.wind.deadline.strike() // nothing will come of waiting for the timeout
		return
	}
	if e.tasks.Empty() {
		// Nothing to wait for: RunForever waits for whatever may come.
		e.sleepUntilWoken(time.Duration(forever))
		return
	}
	e.report(ExceptionContext{Message: "Deadlock: every task waits and nothing can wake them\n" + e.waits(), Err: ErrDeadlock})
	e.cancelTasks(newCancellation(context.Canceled, ErrDeadlock))
	e.deadlocked = e.ready.Len() == 0 // not one of them can be cancelled
}

// waits says of each task where it waits, for what, and who holds that, one line
// each, and names the circle if there is one.
func (e *engine) waits() string {
	var lines []string
	var circle []*task
	for t := range e.standing {
		if len(lines) == maxReported {
			lines = append(lines, "  and more")
			break
		}
		line := "  " + t.info().String()
		if stack := t.stack(); len(stack) > 0 {
			line += ", at " + shortPath(stack[0].File, stack[0].Line)
		}
		lines = append(lines, line)
		if circle == nil && t.state == Waiting {
			e.circles(t, t.coro.on, possible, func(c []*task) bool { circle = c; return false })
		}
	}
	if circle != nil {
		line := "  in a circle: "
		for _, t := range circle {
			line += t.Name() + " → "
		}
		lines = append(lines, line+circle[0].Name())
	}
	return strings.Join(lines, "\n")
}

// standing yields the tasks, and the bodies of generators from which somebody wants
// a value.
func (e *engine) standing(yield func(*task) bool) {
	for t := range e.tasks.All {
		if !yield(t) {
			return
		}
	}
	for t := range e.gens.All {
		if t.state == Waiting && t.isWaitedFor() && !yield(t) {
			return
		}
	}
}

// maxReported is how many tasks a report names.
const maxReported = 100

// idleReportAfter is how long a loop stands still that might be deadlocked,
// before that is reported.
const idleReportAfter = 10 * time.Second

// suspicious reports whether a loop that has nothing to do should be reported:
// its tasks wait, and all that could wake them is what others might do with a
// handle or a context.
func (e *engine) suspicious() bool {
	return !e.idleReported && !e.tasks.Empty() && e.active == 0 && e.fds.count == 0 && !inBubble()
}

func (e *engine) reportIdle() {
	e.idleReported = true
	e.log.Warn(fmt.Sprintf("asyncio: possible deadlock: %s has had nothing to do for %v, and only another goroutine "+
		"that uses the loop or cancels a context could change that\n%s", e, idleReportAfter, e.waits()))
}
