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

// victim makes a program of one thing to cancel and what must hold after it.
func victim(g func(ctx context.Context) error, after func(ctx context.Context) error) sim.Func {
	return func(ctx context.Context, w *sim.World) error {
		if err := w.Victim(ctx, g); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return asyncio.Timeout(ctx, time.Hour, after)
	}
}

// A yield has one moment, because it waits for nothing; any other await has two.
func TestCancelEverywhere_CountsBothKindsOfMoments(t *testing.T) {
	for name, c := range map[string]struct {
		g    func(ctx context.Context) error
		want int
	}{
		"nothing":  {func(context.Context) error { return nil }, 0},
		"a yield":  {asyncio.Yield, 1},
		"a sleep":  {func(ctx context.Context) error { return asyncio.Sleep(ctx, 1) }, 2},
		"3 sleeps": {func(ctx context.Context) error { return errors.Join(nap(ctx), nap(ctx), nap(ctx)) }, 6},
		"2 tasks, and the group that waits": {func(ctx context.Context) error {
			return crew(ctx, 2, func(ctx context.Context, _ int) error { return nap(ctx) })
		}, 6},
		"a task and who awaits it": {func(ctx context.Context) error {
			_, err := asyncio.Go(ctx, nap).Await(ctx)
			return err
		}, 4},
	} {
		f := victim(c.g, func(context.Context) error { return nil })
		if got := sim.Moments(f); got != c.want {
			t.Errorf("%s: %d moments, want %d", name, got, c.want)
		}
	}
}

func nap(ctx context.Context) error { return asyncio.Sleep(ctx, time.Millisecond) }

func TestCancelEverywhere_CancelsAtEachMomentOnce(t *testing.T) {
	began, goes := 0, 0
	sim.CancelEverywhere(t, func(ctx context.Context, w *sim.World) error {
		var ev asyncio.Event
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := nap(ctx)
			ev.Set()
			return err
		})
		set := false
		err := w.Victim(ctx, func(ctx context.Context) error {
			err := ev.Wait(ctx)
			set = ev.IsSet()
			return errors.Join(err, ctx.Err())
		})
		switch {
		case err == nil:
		case set:
			goes++
		default:
			began++
		}
		return nil
	}, sim.Options{Seeds: 1})
	if began != 1 || goes != 1 {
		t.Errorf("it was cancelled %d times as it began to wait, and %d as it was to go on; want 1 and 1", began, goes)
	}
}

// The bugs that it is for.
func TestCancelEverywhere_FindsWhatACancellationLoses(t *testing.T) {
	for name, f := range map[string]sim.Func{
		"a lock that is not released": func(ctx context.Context, w *sim.World) error {
			var mu asyncio.Lock
			return victim(func(ctx context.Context) error {
				if err := mu.Acquire(ctx); err != nil {
					return err
				}
				if err := nap(ctx); err != nil {
					return err // with the lock
				}
				mu.Release()
				return nil
			}, func(ctx context.Context) error { return mu.Do(ctx, nap) })(ctx, w)
		},
		"an item that is taken and not handled": func(ctx context.Context, w *sim.World) error {
			q := asyncio.NewQueue[int](1)
			handled := false
			return victim(func(ctx context.Context) error {
				asyncio.Go(context.WithoutCancel(ctx), func(ctx context.Context) error { return errors.Join(nap(ctx), q.Put(ctx, 1)) })
				if _, err := q.Get(ctx); err != nil {
					return err
				}
				if err := nap(ctx); err != nil {
					return err
				}
				handled = true
				return nil
			}, func(ctx context.Context) error {
				if err := asyncio.Sleep(ctx, time.Minute); err != nil || handled || q.Len() == 1 {
					return err
				}
				return errors.New("an item is lost")
			})(ctx, w)
		},
		"a grant in the turn of the cancellation": grantLost,
		"a connection that goes back half used":   pooled,
	} {
		r := &recorder{TB: t}
		sim.CancelEverywhere(r, f, sim.Options{Seeds: 3})
		if !strings.Contains(r.text(), "cancelled at moment") {
			t.Errorf("%s: not found; told %q", name, r.text())
		}
	}
}

// grantLost is a semaphore whose waiters forget that they were granted a permit if they
// are cancelled before they go on.
func grantLost(ctx context.Context, w *sim.World) error {
	free := 0
	var waiting []*asyncio.Future[struct{}]
	acquire := func(ctx context.Context) error {
		if free > 0 {
			free--
			return nil
		}
		f := asyncio.NewFuture[struct{}](ctx)
		waiting = append(waiting, f)
		if _, err := f.Await(ctx); err != nil {
			return err
		}
		return ctx.Err() // the bug
	}
	asyncio.Go(ctx, func(ctx context.Context) error {
		err := nap(ctx)
		for _, f := range waiting {
			if !f.Done() {
				f.SetResult(struct{}{})
				return err
			}
		}
		free++
		return err
	})
	taken := false
	return victim(func(ctx context.Context) error {
		err := acquire(ctx)
		taken = err == nil
		return err
	}, func(ctx context.Context) error {
		if err := asyncio.Sleep(ctx, time.Second); err != nil || taken || free == 1 {
			return err
		}
		return fmt.Errorf("the permit is lost")
	})(ctx, w)
}

// pooled asks over a connection that it puts back whatever happened.
func pooled(ctx context.Context, w *sim.World) error {
	questions, answers := asyncio.NewQueue[int](0), asyncio.NewQueue[int](0)
	asyncio.Go(ctx, func(ctx context.Context) error {
		for {
			n, err := questions.Get(ctx)
			if err == nil {
				err = errors.Join(nap(ctx), answers.Put(ctx, n))
			}
			if err != nil {
				return err
			}
		}
	})
	request := func(ctx context.Context, n int) error {
		if err := questions.Put(ctx, n); err != nil {
			return err
		}
		if got, err := answers.Get(ctx); err != nil || got != n {
			return errors.Join(err, fmt.Errorf("asked %d, answered %d", n, got))
		}
		return nil
	}
	return victim(func(ctx context.Context) error { return request(ctx, 1) },
		func(ctx context.Context) error { return request(ctx, 2) })(ctx, w)
}

func TestCancelEverywhere_NeedsAVictim(t *testing.T) {
	r := &recorder{TB: t}
	sim.CancelEverywhere(r, func(ctx context.Context, _ *sim.World) error { return nap(ctx) }, sim.Options{})
	if !strings.Contains(r.text(), "has not called World.Victim") {
		t.Errorf("told %q", r.text())
	}
}

func TestCancelEverywhere_OneVictim(t *testing.T) {
	for _, run := range []func(testing.TB, sim.Func){
		sim.Run,
		func(t testing.TB, f sim.Func) { sim.CancelEverywhere(t, f, sim.Options{}) },
	} {
		r := &recorder{TB: t}
		run(r, func(ctx context.Context, w *sim.World) error {
			return errors.Join(w.Victim(ctx, nap), w.Victim(ctx, nap))
		})
		if !strings.Contains(r.text(), "called before in this run") {
			t.Errorf("told %q", r.text())
		}
	}
}
