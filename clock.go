package asyncio

import (
	"slices"
	"sync"
	"time"
)

// A Clock is a loop's time where it is not the machine's: virtual time in
// tests and simulations. A loop without one uses the machine's monotonic clock.
// Its methods must be safe to call from any goroutine.
type Clock interface {
	// Now is the time on the clock. It never goes back.
	Now() time.Time

	// Idle is called on the loop's goroutine when nothing is ready to run.
	// The earliest timer is due at next, which is zero if there is none;
	// external says that something outside the loop may still wake it.
	// A clock that moved, so that the loop has to look at its timers again,
	// returns true. After false the loop sleeps until something wakes it, and
	// a clock that is moved later calls w.Wake, once.
	Idle(next time.Time, external bool, w Waker) bool
}

// A LocalClock is a [Clock] that tasks may read differently, as the machines of a
// simulation have clocks of their own. What a task asks of the loop, and the deadlines
// that it sets, are then as it reads the clock; the loop itself goes by Now. The methods
// are called on the loop, and must not await.
type LocalClock interface {
	Clock

	// Local is what t, which runs, reads when it is now.
	Local(t AnyTask, now time.Time) time.Time

	// Global is the first moment at which t will read no less than local, if its
	// clock goes on as it does.
	Global(t AnyTask, local time.Time) time.Time
}

// A Waker is a sleeping loop. Its methods are safe to call from any goroutine.
type Waker interface {
	Wake()        // makes the loop look at its clock and its queues again
	Closed() bool // the loop needs no waking any more
}

// A ManualClock is a [Clock] for tests: it jumps to the next timer as soon as
// every task waits and nothing outside the loop can wake one, so an hour of
// sleeps takes no time and always the same course. What it waits for are the
// functions of [Blocking], [Recv], [Send] and [Signals]; a goroutine that may still use the
// loop's handle is not waited for. Its zero value is ready and
// starts at midnight UTC on 2000-01-01. Each loop needs a clock of its own: one
// that several share jumps as soon as one of them waits.
type ManualClock struct {
	// Frozen keeps the clock from jumping: only Advance moves it.
	Frozen bool

	mu   sync.Mutex
	past time.Duration // since manualStart
	idle []Waker       // the loops that sleep on this clock
}

var manualStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Now is the time on the clock.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return manualStart.Add(c.past)
}

// Advance moves the clock forward by d and lets the timers that are due by
// then fire. It is safe to call from any goroutine.
func (c *ManualClock) Advance(d time.Duration) {
	if d < 0 {
		panic(misuse(nil, "ManualClock.Advance(%v): time does not go back; give a duration that is not negative", d))
	}
	c.mu.Lock()
	c.past += d
	idle := c.idle
	c.idle = nil
	c.mu.Unlock()
	for _, w := range idle {
		w.Wake()
	}
}

// Idle implements [Clock].
func (c *ManualClock) Idle(next time.Time, external bool, w Waker) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if due := next.Sub(manualStart); !next.IsZero() {
		if due <= c.past {
			return true // moved by Advance since the loop looked
		}
		if !c.Frozen && !external {
			c.past = due
			return true
		}
	}
	if !slices.Contains(c.idle, w) {
		c.idle = append(slices.DeleteFunc(c.idle, func(w Waker) bool { return w.Closed() }), w)
	}
	return false
}

// processStart is where the machine's time is counted from.
var processStart = time.Now()

// uptime is the machine's monotonic time in nanoseconds since processStart.
func uptime() int64 { return int64(time.Since(processStart)) }

// inBubble reports whether the calling goroutine is in a testing/synctest
// bubble. Nothing tells officially; but a bubble's clock starts in the year
// 2000, on a scale on which processStart lies decades away.
func inBubble() bool {
	const decade = 10 * 365 * 24 * time.Hour
	d := time.Since(processStart)
	return d > decade || d < -decade
}

// readClock is the loop's time in nanoseconds since its epoch.
func (e *engine) readClock() int64 {
	e.now = e.peekClock()
	return e.now
}

// peekClock is readClock from any goroutine.
func (e *engine) peekClock() int64 {
	if e.clock != nil {
		return int64(e.clock.Now().Sub(e.epoch))
	}
	return int64(time.Since(e.epoch))
}

// startClock sets the epoch.
func (e *engine) startClock(c Clock) {
	e.clock, e.epoch = c, processStart
	e.local, _ = c.(LocalClock)
	if c != nil {
		e.epoch = c.Now()
	} else if inBubble() {
		e.epoch = time.Now()
	}
}

// wall is the point in time that is t nanoseconds after the epoch.
func (e *engine) wall(t int64) time.Time { return e.epoch.Add(time.Duration(t)) }

// shown is wall as the caller, if it is a task of the loop, reads the clock.
func (e *engine) shown(t int64) time.Time {
	if e.isLocal() {
		return e.local.Local(e.cur.face, e.wall(t))
	}
	return e.wall(t)
}

// moment is the reverse of shown.
func (e *engine) moment(t time.Time) int64 {
	if e.isLocal() {
		t = e.local.Global(e.cur.face, t)
	}
	return int64(t.Sub(e.epoch))
}

// isLocal reports whether the caller is a task that may read the clock in a way of its
// own.
func (e *engine) isLocal() bool { return e.local != nil && e.owned() && e.cur != nil }

// forever is a deadline that is never reached.
const forever = int64(1<<63 - 1)

// after is the deadline that is d from now; it saturates.
func (e *engine) after(d time.Duration) int64 { return e.later(e.readClock(), d) }

// peekAfter is after from any goroutine.
func (e *engine) peekAfter(d time.Duration) int64 { return e.later(e.peekClock(), d) }

// later is d after now, as the caller's clock goes.
func (e *engine) later(now int64, d time.Duration) int64 {
	when := plus(now, d)
	if e.local != nil && when != forever {
		when = e.moment(e.shown(now).Add(d))
	}
	return when
}

func plus(now int64, d time.Duration) int64 {
	if int64(d) > forever-now {
		return forever
	}
	return now + int64(d)
}
