package asyncio

import (
	"context"
	"math"
)

// A Cond is a place where tasks that hold a lock wait for a condition on what
// the lock protects. Its zero value is ready and has a lock of its own; several
// of them share one in L. It must not be copied.
//
//	err := c.Do(ctx, func(ctx context.Context) error {
//		if err := c.WaitFor(ctx, func() bool { return len(items) > 0 }); err != nil {
//			return err
//		}
//		…
//	})
//
// Where the condition cannot change between two awaits, no lock is needed:
// an [Event] or a [Queue] is simpler.
type Cond struct {
	_       noCopy
	L       *Lock // nil means a lock of its own; must not change after the first use
	own     Lock
	waiting waitlist
}

func (c *Cond) lock() *Lock {
	if c.L != nil {
		return c.L
	}
	return &c.own
}

// Acquire is [Lock.Acquire] of the condition's lock.
func (c *Cond) Acquire(ctx context.Context) error { return c.lock().Acquire(ctx) }

// Release is [Lock.Release] of the condition's lock.
func (c *Cond) Release() { c.lock().Release() }

// Do is [Lock.Do] of the condition's lock.
func (c *Cond) Do(ctx context.Context, f func(ctx context.Context) error) error {
	return c.lock().Do(ctx, f)
}

// Wait releases the lock, waits until it is notified, and acquires the lock
// again. The task must hold the lock, and holds it when Wait returns, with
// whatever error: cancelling ctx ends the wait with a [CancelledError], but not
// the wait for the lock that follows. A task that was notified is not cancelled
// any more.
func (c *Cond) Wait(ctx context.Context) error {
	l := c.mustHold("Cond.Wait")
	a, err := newAwait(ctx, "Cond.Wait")
	if err != nil {
		return err
	}
	c.waiting.bind(a.t.scope.e, c, "Cond.Wait")
	l.waiting.bind(a.t.scope.e, l, "Cond.Wait")
	l.release(a.t)
	c.waiting.add(a.t)
	err = a.park(c)
	a.t.coro.joins = false
	if err != nil {
		l.regain(a.t)
	}
	return err
}

// WaitFor waits until condition, which is called while the task holds the lock,
// is true: at once if it is, otherwise after each notification. Its errors are
// those of [Cond.Wait].
func (c *Cond) WaitFor(ctx context.Context, condition func() bool) error {
	mustFunc(condition != nil, "Cond.WaitFor")
	c.mustHold("Cond.WaitFor")
	for !condition() {
		if err := c.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Notify wakes the n tasks that have waited longest, or as many as there are.
// The caller must hold the lock; they get it, one after another, when it is
// released.
func (c *Cond) Notify(n int) {
	l := c.mustHold("Cond.Notify")
	for t := range c.waiting.tasks.All {
		if n--; n < 0 {
			return
		}
		// Not woken: it goes straight on to wait for the lock, as a join.
		t.leaveQueues()
		t.coro.joins, t.coro.on, t.coro.since = true, l, t.scope.e.now
		l.waiting.add(t)
	}
}

// NotifyAll is Notify for everybody who waits.
func (c *Cond) NotifyAll() { c.Notify(math.MaxInt) }

// String is the condition, its lock, and how many wait.
func (c *Cond) String() string {
	if c.waiting.isElsewhere() {
		return "<" + c.waiting.name("Cond") + ">"
	}
	return "<" + c.waiting.name("Cond") + " " + c.lock().String() + length(&c.waiting.tasks, "waiters") + ">"
}

// mustHold is the lock, which the calling task must hold.
func (c *Cond) mustHold(fn string) *Lock {
	l := c.lock()
	if l.ownerHere(fn) == nil {
		const instead = "call it while the task holds the lock, in Cond.Do"
		panic(l.notYours(fn, instead, instead))
	}
	return l
}
