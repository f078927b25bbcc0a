package asyncio

import (
	"context"
	"fmt"
)

// An Event is a flag that tasks wait for. Its zero value is not set. It must not
// be copied. It belongs to the loop of the first task that waits for it; from
// other goroutines set it with
//
//	loop.CallSoon(event.Set)
type Event struct {
	_       noCopy
	set     bool
	waiting waitlist
}

// Wait waits until the event is set, and returns at once if it is. Once Set was
// called, everybody who waited is woken, also if Clear follows. Cancelling ctx
// ends the wait with a [CancelledError].
func (v *Event) Wait(ctx context.Context) error { return v.WaitAs(ctx, v) }

// WaitAs is [Event.Wait] for a package that uses the event for something that has a
// better name: reports say that the task waits for what.
func (v *Event) WaitAs(ctx context.Context, what fmt.Stringer) error {
	a, err := newAwait(ctx, "Event.Wait")
	if err != nil {
		return err
	}
	if v.enlist(a.t) {
		return nil
	}
	return a.park(what)
}

// enlist makes t wait, unless the event is set.
func (v *Event) enlist(t *task) (set bool) {
	e := t.scope.e
	v.waiting.mustBeOn(e, v, "Event.Wait")
	if v.set {
		return true
	}
	v.waiting.bind(e, v, "Event.Wait")
	v.waiting.add(t)
	return false
}

// Set sets the event and wakes everybody who waits for it, in order of arrival.
func (v *Event) Set() {
	v.waiting.mustNotRace("Event.Set")
	v.set = true
	for t := range v.waiting.tasks.All {
		t.wake()
	}
	v.waiting.nudge()
}

// Clear makes those who call Wait from now on wait for the next Set.
func (v *Event) Clear() {
	v.waiting.mustNotRace("Event.Clear")
	v.set = false
}

// IsSet reports whether the event is set.
func (v *Event) IsSet() bool {
	v.waiting.mustNotRace("Event.IsSet")
	return v.set
}

// String is the event, its state and how many wait.
func (v *Event) String() string {
	if v.waiting.isElsewhere() {
		return "<" + v.waiting.name("Event") + ">"
	}
	state := "unset"
	if v.set {
		state = "set"
	}
	return "<" + v.waiting.name("Event") + " " + state + length(&v.waiting.tasks, "waiters") + ">"
}
