package sim

import (
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A skew is how the clock of a host goes.
type skew struct {
	since time.Duration // on the world's clock, when it was set last
	ahead time.Duration // of the world's then
	ppm   int64         // how much faster it goes, in millionths
}

const million = 1_000_000

// maxDrift is far beyond what clocks do, and keeps the arithmetic in bounds.
const maxDrift = 500_000

// Skew sets how far the clock of h is ahead of the world's: what its tasks read, and when
// deadlines strike that they set as a point in time. How long they sleep it does not
// change, and a deadline that is set already stays where it is. With an offset of less
// than zero it is behind; the clock jumps, and may jump back. What it had gained by
// [Clock.Drift] is gone.
func (c *Clock) Skew(h *Host, offset time.Duration) {
	h.skew = skew{c.past, offset, h.skew.ppm}
}

// Drift has the clock of h go faster than the world's from now on, by so many millionths,
// or slower if that is less than zero: of good clocks it is 20, of very bad ones 500. It
// changes how long its tasks sleep, too.
func (c *Clock) Drift(h *Host, ppm int) {
	if ppm < -maxDrift || ppm > maxDrift {
		panic(fmt.Sprintf("sim: Clock.Drift(%v, %d): give a number from %d to %d", h, ppm, -maxDrift, maxDrift))
	}
	h.skew = skew{c.past, h.skew.local(c.past) - c.past, int64(ppm)}
}

// Local implements [asyncio.LocalClock].
func (c *Clock) Local(t asyncio.AnyTask, now time.Time) time.Time {
	if h := c.hostOf(t); h != nil {
		return epoch.Add(h.skew.local(now.Sub(epoch)))
	}
	return now
}

// Global implements [asyncio.LocalClock].
func (c *Clock) Global(t asyncio.AnyTask, local time.Time) time.Time {
	if h := c.hostOf(t); h != nil {
		return epoch.Add(h.skew.global(local.Sub(epoch)))
	}
	return local
}

// hostOf is the host by whose clock the task goes now, if that is not the world's.
func (c *Clock) hostOf(t asyncio.AnyTask) *Host {
	if c.plain {
		return nil
	}
	if h := hostOf(t.Context()); h != nil && h.skew != (skew{}) {
		return h
	}
	return nil
}

// callLater is CallLater on the world's clock, whatever task calls: for what is between
// the hosts.
func (w *World) callLater(d time.Duration, f func()) *asyncio.Handle {
	w.clock.plain = true
	defer func() { w.clock.plain = false }()
	return w.loop.CallLater(d, f)
}

// local is what the clock shows at a moment that is not before it was set.
func (k skew) local(at time.Duration) time.Duration {
	return at + k.ahead + scaled(at-k.since, k.ppm, million)
}

// global is the first moment at which the clock shows so much.
func (k skew) global(local time.Duration) time.Duration {
	shown := local - k.ahead - k.since // since the clock was set
	if shown <= 0 || k.ppm == 0 {
		return k.since + shown
	}
	at := shown - scaled(shown, k.ppm, million+k.ppm)
	for at > 0 && at-1+scaled(at-1, k.ppm, million) >= shown {
		at--
	}
	for at+scaled(at, k.ppm, million) < shown {
		at++
	}
	return k.since + at
}

// scaled is d times n/m, rounded down, without an overflow on the way; d is not negative,
// and m is above n. (A float would be rounded in one way on one machine and in another on
// the next.)
func scaled(d time.Duration, n, m int64) time.Duration {
	whole, rest := int64(d)/m, int64(d)%m*n
	if rest < 0 {
		rest -= m - 1
	}
	return time.Duration(whole*n + rest/m)
}

var _ asyncio.LocalClock = (*Clock)(nil)
