package asyncio_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A wallClock shows the task "ahead" a time that is an hour ahead, and the task "twice" one
// that has gone twice as fast since the beginning.
type wallClock struct{ asyncio.ManualClock }

var newYear = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Local implements asyncio.LocalClock.
func (c *wallClock) Local(t asyncio.AnyTask, now time.Time) time.Time {
	switch t.Name() {
	case "ahead":
		return now.Add(time.Hour)
	case "twice":
		return now.Add(now.Sub(newYear))
	}
	return now
}

// Global implements asyncio.LocalClock.
func (c *wallClock) Global(t asyncio.AnyTask, local time.Time) time.Time {
	switch t.Name() {
	case "ahead":
		return local.Add(-time.Hour)
	case "twice":
		return newYear.Add((local.Sub(newYear) + 1) / 2)
	}
	return local
}

// runLocal runs f as the task of that name on a wallClock. The minutes are those since
// newYear, on the loop's own clock.
func runLocal(t *testing.T, name string, f func(ctx context.Context, l *asyncio.Loop, minutes func() int) error) {
	t.Helper()
	noLeaks(t)
	b, clock := newBench(), &wallClock{}
	b.Options.Clock = clock
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, 10*time.Minute); err != nil {
			return err
		}
		_, err = asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name, Eager: name == "ahead"}, asyncio.Void(func(ctx context.Context) error {
			return f(ctx, l, func() int { return int(clock.Now().Sub(newYear) / time.Minute) })
		})).Await(ctx)
		if got := l.Now(); got != clock.Now() {
			t.Errorf("main reads %v at %v", got, clock.Now())
		}
		return err
	})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestLocalClock_OffsetMovesPointsInTime(t *testing.T) {
	runLocal(t, "ahead", func(ctx context.Context, l *asyncio.Loop, minutes func() int) error {
		at := func(m int) time.Time { return newYear.Add(time.Duration(m) * time.Minute) }
		if l.Now() != at(70) {
			t.Errorf("it reads %v", l.Now())
		}
		below, cancel := asyncio.WithDeadline(ctx, at(75))
		defer cancel()
		type key struct{}
		further, cancel := asyncio.WithTimeout(context.WithValue(below, key{}, 1), time.Hour)
		defer cancel()
		for name, ctx := range map[string]context.Context{"WithDeadline": below, "a context below": further} {
			if d, ok := ctx.Deadline(); !ok || d != at(75) {
				t.Errorf("%s: the deadline is %v, %v", name, d, ok)
			}
		}
		called := -1
		h := l.CallAt(at(73), func() {
			called = minutes()
			if l.Now() != at(13) {
				t.Errorf("a callback reads %v, which is no task", l.Now())
			}
		})
		if h.When() != at(73) || l.CallLater(time.Minute, func() {}).When() != at(71) {
			t.Errorf("the callbacks are for %v and %v", h.When(), at(71))
		}
		if err := asyncio.Sleep(below, time.Hour); !errors.Is(err, asyncio.ErrTimeout) || minutes() != 15 || called != 13 {
			t.Errorf("the sleep ended with %v after %d minutes, the call came after %d", err, minutes(), called)
		}
		err := asyncio.Sleep(ctx, time.Minute)
		if minutes() != 16 {
			t.Errorf("a minute was over at %d", minutes())
		}
		return err
	})
}

func TestLocalClock_RateStretchesDurations(t *testing.T) {
	runLocal(t, "twice", func(ctx context.Context, l *asyncio.Loop, minutes func() int) error {
		err := asyncio.Sleep(ctx, 4*time.Minute)
		if minutes() != 12 {
			t.Errorf("4 minutes were over at %d", minutes())
		}
		called := -1
		l.CallLater(2*time.Minute, func() { called = minutes() })
		timeout := asyncio.Timeout(ctx, 6*time.Minute, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		if !errors.Is(timeout, asyncio.ErrTimeout) || minutes() != 15 || called != 13 {
			t.Errorf("the timeout struck at %d: %v; the call came at %d", minutes(), timeout, called)
		}
		for _, forever := range []time.Duration{math.MaxInt64, math.MaxInt64 - 1} { // no overflow
			ctx, cancel := asyncio.WithTimeout(ctx, forever)
			if ctx.Err() != nil {
				t.Errorf("a timeout of %v has struck", forever)
			}
			cancel()
		}
		return err
	})
}

func TestLocalClock_OtherGoroutinesReadTheLoops(t *testing.T) {
	runLocal(t, "ahead", func(ctx context.Context, l *asyncio.Loop, minutes func() int) error {
		got, err := asyncio.Blocking(ctx, func(context.Context) (time.Time, error) { return l.Now(), nil })
		if want := newYear.Add(10 * time.Minute); got != want {
			t.Errorf("it reads %v, want %v", got, want)
		}
		return err
	})
}
