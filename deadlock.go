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

// waits says of each task what it waits for, one line each.
func (e *engine) waits() string {
	var b strings.Builder
	for t := range e.tasks.All {
		fmt.Fprintf(&b, "  %s (%s) waits for %v\n", t.Name(), funcName(t.face.entry()), t.coro.on)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// idleReportAfter is how long a loop stands still that might be deadlocked,
// before that is reported.
const idleReportAfter = 10 * time.Second

// suspicious reports whether a loop that has nothing to do should be reported:
// its tasks wait, and all that could wake them is what others might do with a
// handle or a context.
func (e *engine) suspicious() bool {
	return !e.idleReported && !e.tasks.Empty() && e.active == 0 && !inBubble()
}

func (e *engine) reportIdle() {
	e.idleReported = true
	e.log.Warn(fmt.Sprintf("asyncio: possible deadlock: %s has had nothing to do for %v, and only another goroutine "+
		"that uses the loop or cancels a context could change that\n%s", e, idleReportAfter, e.waits()))
}
