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

func TestHost_PausedRunsNothing(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		steps := 0
		work := func(ctx context.Context) error {
			for {
				if err := asyncio.Sleep(ctx, time.Duration(1+w.Draw(3))*time.Millisecond); err != nil {
					return err
				}
				if _, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { steps++; return 0, nil }); err != nil {
					return err
				}
				steps++
			}
		}
		h := w.Host(ctx, "a", func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(work)
				g.Go(work)
				return nil
			})
		})
		others := 0
		w.Host(ctx, "b", func(ctx context.Context) error {
			for {
				if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
				others++
			}
		})
		for range 3 {
			if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil {
				return err
			}
			h.Pause()
			h.Pause()
			before, othersBefore := steps, others
			if err := asyncio.Sleep(ctx, time.Duration(10+w.Draw(5))*time.Millisecond); err != nil {
				return err
			}
			if steps != before || others == othersBefore {
				return fmt.Errorf("paused, it made %d steps, and the other host %d", steps-before, others-othersBefore)
			}
			h.Resume()
			if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil {
				return err
			}
			if steps == before {
				return errors.New("resumed, it makes no steps")
			}
		}
		return nil
	}
	clean(t, f, sim.Options{Seeds: 200})
}

func TestHost_PausedDeadlinesWait(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		var woke time.Duration
		h := w.Host(ctx, "sleeper", func(ctx context.Context) error {
			err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
			woke = w.Now()
			if errors.Is(err, asyncio.ErrTimeout) {
				return nil
			}
			return err
		})
		h.Pause() // before its first step
		if err := asyncio.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		h.Resume()
		if err := w.Settle(ctx); err != nil {
			return err
		}
		h.Pause()
		if err := asyncio.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		h.Resume()
		err := h.Wait(ctx)
		if woke != 2*time.Minute {
			err = fmt.Errorf("it woke at %v", woke)
		}
		return err
	}
	clean(t, f, sim.Options{Seeds: 1})
}

func TestHost_PausedIsNotWaitedForByTheEnd(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		w.Host(ctx, "a", busyHost).Pause()
		w.Host(ctx, "b", busyHost)
		return asyncio.Yield(ctx)
	}
	clean(t, f, sim.Options{Seeds: 50})
}

func TestHost_CrashWhilePaused(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		h := w.Host(ctx, "a", busyHost)
		for range w.Draw(10) {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		h.Pause()
		for range w.Draw(10) {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		h.Crash()
		h.Pause() // does nothing
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		return onlyMain(ctx)
	}
	clean(t, f, sim.Options{Seeds: 500})
}

func TestHost_PausedForEverIsADeadlock(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		h := w.Host(ctx, "a", func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Second) })
		h.Pause()
		return h.Wait(ctx)
	}
	got := found(t, f, sim.Options{Seeds: 1})
	if got.Kind != sim.KindDeadlock || !strings.Contains(got.Error(), "paused host, a (10.0.0.1)") {
		t.Errorf("failure is %v", got)
	}
}
