package sim_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// now is what the running task reads as the time.
func now(ctx context.Context) time.Time {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		panic(err)
	}
	return l.Now()
}

var midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

type belowNoon struct{}

func TestClock_SkewIsWhatTheHostReads(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		var reads, struck []time.Duration
		h := w.Host(ctx, "ahead", func(ctx context.Context) error {
			reads = append(reads, now(ctx).Sub(midnight))
			noon, cancel := asyncio.WithDeadline(ctx, midnight.Add(12*time.Hour))
			defer cancel()
			if d, ok := noon.Deadline(); !ok || d != midnight.Add(12*time.Hour) {
				return fmt.Errorf("the deadline is %v", d)
			}
			if d, _ := context.WithValue(noon, belowNoon{}, 1).Deadline(); d != midnight.Add(12*time.Hour) {
				return fmt.Errorf("the deadline below is %v", d)
			}
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			call := l.CallAt(midnight.Add(11*time.Hour), func() { struck = append(struck, w.Now()) })
			if call.When() != midnight.Add(11*time.Hour) {
				return fmt.Errorf("the callback is for %v", call.When())
			}
			if err := asyncio.Sleep(noon, 24*time.Hour); !errors.Is(err, asyncio.ErrTimeout) {
				return err
			}
			struck = append(struck, w.Now())
			began := w.Now()
			err = asyncio.Sleep(ctx, time.Minute)
			reads = append(reads, w.Now()-began)
			return err
		})
		w.Clock().Skew(h, 2*time.Hour)
		err := h.Wait(ctx)
		if got := fmt.Sprint(reads, struck); got != "[2h0m0s 1m0s] [9h0m0s 10h0m0s]" {
			err = fmt.Errorf("it read and was struck at %v", got)
		}
		if got := now(ctx).Sub(midnight); got != w.Now() {
			err = fmt.Errorf("the world reads %v at %v", got, w.Now())
		}
		return err
	}
	clean(t, f, sim.Options{Seeds: 1})
}

func TestClock_DriftStretchesSleeps(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		var slept, read time.Duration
		sleep := func(ctx context.Context) error {
			began, first := w.Now(), now(ctx)
			err := asyncio.Sleep(ctx, time.Hour)
			slept, read = w.Now()-began, now(ctx).Sub(first)
			return err
		}
		h := w.Host(ctx, "fast", sleep)
		w.Clock().Drift(h, 100_000)
		err := h.Wait(ctx)
		if fast := time.Hour * 10 / 11; slept < fast || slept > fast+1 || read < time.Hour || read > time.Hour+1 {
			err = fmt.Errorf("the fast clock slept %v and read %v", slept, read)
		}
		w.Clock().Drift(h, -500_000)
		h.Restart()
		err = errors.Join(err, h.Wait(ctx))
		if slept != 2*time.Hour || read != time.Hour {
			err = fmt.Errorf("the slow clock slept %v and read %v", slept, read)
		}
		w.Clock().Drift(h, 0)
		w.Clock().Skew(h, 0)
		h.Restart()
		err = errors.Join(err, h.Wait(ctx))
		if slept != time.Hour || read != time.Hour {
			err = fmt.Errorf("the clock that was healed slept %v and read %v", slept, read)
		}
		return err
	}
	clean(t, f, sim.Options{Seeds: 1})
}

// Whatever the rate is, a sleep is over when the clock of the host says so, and neither a
// step before nor after that.
func TestClock_DriftIsExact(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		spans := []time.Duration{1, 7, time.Microsecond, 999_999, time.Second, time.Hour, 365 * 24 * time.Hour}
		d := spans[w.Draw(len(spans))] + time.Duration(w.Draw(1000))
		rate := w.Draw(1_000_001) - 500_000
		h := w.Host(ctx, "h", func(ctx context.Context) error {
			first, last := now(ctx), time.Time{}
			if err := asyncio.Sleep(ctx, d); err != nil {
				return err
			}
			last = now(ctx)
			if over := last.Sub(first) - d; over < 0 || over > 1 {
				return fmt.Errorf("at a rate of %d, a sleep of %v took %v", rate, d, last.Sub(first))
			}
			return nil
		})
		w.Clock().Drift(h, rate)
		return h.Wait(ctx)
	}
	clean(t, f, sim.Options{Seeds: 2000})
}

func TestClock_DriftOutOfBoundsPanics(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		h := w.Host(ctx, "h", func(context.Context) error { return nil })
		w.Clock().Drift(h, 1_000_000)
		return nil
	}
	got := found(t, f, sim.Options{Seeds: 1})
	if got.Kind != sim.KindPanic || !strings.Contains(got.Error(), "sim: Clock.Drift(h (10.0.0.1), 1000000): give a number") {
		t.Errorf("failure is %v", got)
	}
}

// leases is two servers that take a lease in turn, as a time at which it ends; the one
// that has it believes in it until its own clock says otherwise, less a margin.
func leases(ctx context.Context, w *sim.World, margin time.Duration) error {
	var until time.Time // in a store that both can reach
	holders := 0
	serve := func(ctx context.Context) error {
		for range 3 {
			if !now(ctx).After(until) {
				if err := asyncio.Sleep(ctx, until.Sub(now(ctx))+1); err != nil {
					return err
				}
				continue
			}
			mine := now(ctx).Add(time.Second)
			until = mine
			holders++
			sim.Always(ctx, holders < 2, "one leader at a time")
			if err := asyncio.Sleep(ctx, mine.Sub(now(ctx))-margin); err != nil {
				return err
			}
			holders--
			if err := asyncio.Sleep(ctx, margin); err != nil {
				return err
			}
		}
		return nil
	}
	a, b := w.Host(ctx, "a", serve), w.Host(ctx, "b", serve)
	w.Clock().Skew(b, time.Duration(w.Draw(300))*time.Millisecond)
	return errors.Join(a.Wait(ctx), b.Wait(ctx))
}

func TestClock_SkewBreaksALease(t *testing.T) {
	got := found(t, func(ctx context.Context, w *sim.World) error { return leases(ctx, w, 0) }, sim.Options{})
	if got.Kind != sim.KindAssertion {
		t.Errorf("failure is %v", got)
	}
	clean(t, func(ctx context.Context, w *sim.World) error { return leases(ctx, w, 300*time.Millisecond) }, sim.Options{})
}
