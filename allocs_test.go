// Without assembly the identity of a goroutine is read from its stack trace,
// which allocates; the promise is made where that is not needed.

//go:build (amd64 || arm64) && !asyncio_noasm

package asyncio_test

import (
	"context"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// wantNoAllocs fails if f, which a task of the loop calls again and again,
// allocates once everything is under way.
func wantNoAllocs(t *testing.T, ctx context.Context, f func(ctx context.Context) error) {
	t.Helper()
	if n := testing.AllocsPerRun(1000, func() {
		if err := f(ctx); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("each time allocates %v times", n)
	}
}

// partner starts a task that does f for as long as it is not cancelled.
func partner(ctx context.Context, f func(ctx context.Context) error) {
	asyncio.Go(ctx, func(ctx context.Context) error {
		for {
			if err := f(ctx); err != nil {
				return err
			}
		}
	})
}

func TestAllocs_SynchronizationInSteadyState(t *testing.T) {
	noLeaks(t)
	for name, prepare := range map[string]func(ctx context.Context) func(ctx context.Context) error{
		"uncontended lock": func(context.Context) func(context.Context) error {
			var l asyncio.Lock
			return func(ctx context.Context) error {
				err := l.Acquire(ctx)
				l.Release()
				return err
			}
		},
		"lock of two tasks": func(ctx context.Context) func(context.Context) error {
			var l asyncio.Lock
			pair := func(ctx context.Context) error { return l.Do(ctx, asyncio.Yield) }
			partner(ctx, pair)
			return pair
		},
		"uncontended semaphore": func(context.Context) func(context.Context) error {
			m := asyncio.NewSemaphore(3)
			return func(ctx context.Context) error {
				err := m.Acquire(ctx)
				m.Release()
				return err
			}
		},
		"semaphore of two tasks": func(ctx context.Context) func(context.Context) error {
			m := asyncio.NewSemaphore(1)
			pair := func(ctx context.Context) error { return m.Do(ctx, asyncio.Yield) }
			partner(ctx, pair)
			return pair
		},
		"two events": func(ctx context.Context) func(context.Context) error {
			var ping, pong asyncio.Event
			side := func(mine, other *asyncio.Event) func(context.Context) error {
				return func(ctx context.Context) error {
					other.Set()
					err := mine.Wait(ctx)
					mine.Clear()
					return err
				}
			}
			partner(ctx, side(&ping, &pong))
			return side(&pong, &ping)
		},
		"condition": func(ctx context.Context) func(context.Context) error {
			var c asyncio.Cond
			side := func(ctx context.Context) error {
				return c.Do(ctx, func(ctx context.Context) error {
					c.Notify(1)
					return c.Wait(ctx)
				})
			}
			partner(ctx, side)
			return side
		},
		"queue whose consumer waits": func(ctx context.Context) func(context.Context) error {
			q := asyncio.NewQueue[int](0)
			partner(ctx, func(ctx context.Context) error { _, err := q.Get(ctx); return err })
			return func(ctx context.Context) error {
				if err := q.Put(ctx, 1); err != nil {
					return err
				}
				return asyncio.Yield(ctx)
			}
		},
		"queue whose producer waits": func(ctx context.Context) func(context.Context) error {
			q := asyncio.NewQueue[int](1)
			partner(ctx, func(ctx context.Context) error { return q.Put(ctx, 1) })
			return func(ctx context.Context) error {
				_, err := q.Get(ctx)
				return err
			}
		},
		"queue that neither waits for": func(context.Context) func(context.Context) error {
			q := asyncio.NewQueue[int](10)
			return func(ctx context.Context) error {
				if err := q.Put(ctx, 1); err != nil {
					return err
				}
				_, err := q.Get(ctx)
				q.TaskDone()
				return err
			}
		},
		"priority queue without waiting": func(context.Context) func(context.Context) error {
			q := asyncio.NewPriorityQueue(0, func(a, b string) bool { return a < b })
			return func(context.Context) error {
				if err := q.TryPut("x"); err != nil {
					return err
				}
				_, err := q.TryGet()
				q.TaskDone()
				return err
			}
		},
		"Handle.Again": func(ctx context.Context) func(context.Context) error {
			l, _ := asyncio.RunningLoop(ctx)
			h := l.CallSoon(func() {})
			return func(ctx context.Context) error {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
				if !h.Again() {
					return errBoom
				}
				return nil
			}
		},
		"NoAwait": func(context.Context) func(context.Context) error {
			n := 0
			add := func() { n++ }
			return func(ctx context.Context) error { asyncio.NoAwait(ctx, add); return nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := quietBench()
			if err := b.Run(t.Context(), func(ctx context.Context) error {
				f := prepare(ctx)
				turns(t, ctx, 3)
				wantNoAllocs(t, ctx, f)
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}
