package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// everywhere cancels g at every moment while others do the same, and has after look
// whether everything still works when they are done.
func everywhere(t *testing.T, setUp func(ctx context.Context) (g, after func(ctx context.Context) error)) {
	t.Helper()
	sim.CancelEverywhere(t, func(ctx context.Context, w *sim.World) error {
		g, after := setUp(ctx)
		others := pair(ctx, g)
		err := w.Victim(ctx, g)
		if err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("the victim: %w", err)
		}
		for _, t := range others {
			if _, err := t.Await(ctx); err != nil {
				return fmt.Errorf("another: %w", err)
			}
		}
		return asyncio.Timeout(ctx, time.Hour, after)
	}, sim.Options{Seeds: 20})
}

// pair starts two tasks that do g.
func pair(ctx context.Context, g func(ctx context.Context) error) []*asyncio.Task[struct{}] {
	return []*asyncio.Task[struct{}]{asyncio.Go(ctx, g), asyncio.Go(ctx, g)}
}

func TestEverywhere_Lock(t *testing.T) {
	everywhere(t, func(context.Context) (g, after func(ctx context.Context) error) {
		var mu asyncio.Lock
		inside := 0
		g = func(ctx context.Context) error {
			return mu.Do(ctx, func(ctx context.Context) error {
				if inside++; inside > 1 {
					return errors.New("two hold the lock")
				}
				defer func() { inside-- }()
				return errors.Join(asyncio.Yield(ctx), nap(ctx))
			})
		}
		return g, g
	})
}

func TestEverywhere_Semaphore(t *testing.T) {
	everywhere(t, func(context.Context) (g, after func(ctx context.Context) error) {
		s := asyncio.NewSemaphore(2)
		return func(ctx context.Context) error { return errors.Join(s.Do(ctx, nap), s.Do(ctx, nap)) },
			func(context.Context) error {
				if s.Free() != 2 {
					return fmt.Errorf("%v: want 2 free", s)
				}
				return nil
			}
	})
}

// Each task puts two and gets two; who is cancelled says what it has done, so that nothing
// may be missing.
func TestEverywhere_Queue(t *testing.T) {
	everywhere(t, func(context.Context) (g, after func(ctx context.Context) error) {
		q := asyncio.NewQueue[int](1)
		put, got := 0, 0
		g = func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					for i := range 2 {
						if err := q.Put(ctx, i); err != nil {
							return err
						}
						put++
					}
					return nil
				})
				for range 2 {
					err := asyncio.Timeout(ctx, time.Minute, func(ctx context.Context) error {
						_, err := q.Get(ctx)
						return err
					})
					if errors.Is(err, asyncio.ErrTimeout) {
						return nil // who was cancelled has not put its own
					}
					if err != nil {
						return err
					}
					got++
				}
				return nil
			})
		}
		return g, func(context.Context) error {
			if put != got+q.Len() {
				return fmt.Errorf("%d were put, %d taken, and %d are left", put, got, q.Len())
			}
			return nil
		}
	})
}

func TestEverywhere_Event(t *testing.T) {
	everywhere(t, func(ctx context.Context) (g, after func(ctx context.Context) error) {
		var ev asyncio.Event
		asyncio.Go(ctx, func(ctx context.Context) error { defer ev.Set(); return nap(ctx) })
		return ev.Wait, ev.Wait
	})
}

func TestEverywhere_Cond(t *testing.T) {
	everywhere(t, func(ctx context.Context) (g, after func(ctx context.Context) error) {
		var c asyncio.Cond
		items := 0
		asyncio.Go(ctx, func(ctx context.Context) error {
			for range 4 {
				err := errors.Join(nap(ctx), c.Do(ctx, func(context.Context) error { items++; c.Notify(1); return nil }))
				if err != nil {
					return err
				}
			}
			return nil
		})
		g = func(ctx context.Context) error {
			return c.Do(ctx, func(ctx context.Context) error {
				if err := c.WaitFor(ctx, func() bool { return items > 0 }); err != nil {
					return err
				}
				items--
				return nil
			})
		}
		return g, g
	})
}

// A barrier does not count who was cancelled: the others wait for somebody else.
func TestEverywhere_Barrier(t *testing.T) {
	everywhere(t, func(context.Context) (g, after func(ctx context.Context) error) {
		b := asyncio.NewBarrier(3)
		g = func(ctx context.Context) error {
			err := asyncio.Timeout(ctx, time.Minute, func(ctx context.Context) error { _, err := b.Wait(ctx); return err })
			if errors.Is(err, asyncio.ErrTimeout) {
				return nil
			}
			return err
		}
		return g, func(ctx context.Context) error {
			if n := b.Waiting(); n != 0 {
				return fmt.Errorf("%d wait at the barrier that have left", n)
			}
			return crew(ctx, 3, func(ctx context.Context, _ int) error { _, err := b.Wait(ctx); return err })
		}
	})
}

func TestEverywhere_GroupAndGather(t *testing.T) {
	everywhere(t, func(context.Context) (g, after func(ctx context.Context) error) {
		alive := 0
		child := func(ctx context.Context) (int, error) {
			alive++
			defer func() { alive-- }()
			return 1, errors.Join(asyncio.Yield(ctx), nap(ctx))
		}
		g = func(ctx context.Context) error {
			err := crew(ctx, 2, func(ctx context.Context, _ int) error { _, err := child(ctx); return err })
			if err != nil {
				return err
			}
			all, err := asyncio.Gather(ctx, child, child, child)
			if err == nil && !slices.Equal(all, []int{1, 1, 1}) {
				return fmt.Errorf("gathered %v", all)
			}
			return err
		}
		return g, func(context.Context) error {
			if alive != 0 {
				return fmt.Errorf("%d children outlive their group", alive)
			}
			return nil
		}
	})
}

func TestEverywhere_Timeout(t *testing.T) {
	everywhere(t, func(context.Context) (g, after func(ctx context.Context) error) {
		g = func(ctx context.Context) error {
			for _, d := range []time.Duration{time.Millisecond, 2 * time.Millisecond} { // the first is a race
				err := asyncio.Timeout(ctx, d, nap)
				if err != nil && !errors.Is(err, asyncio.ErrTimeout) {
					return err
				}
			}
			return nil
		}
		return g, g
	})
}

func TestEverywhere_Generator(t *testing.T) {
	everywhere(t, func(context.Context) (g, after func(ctx context.Context) error) {
		open := 0
		g = func(ctx context.Context) error {
			numbers := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
				open++
				defer func() { open-- }()
				for n := 0; yield(n); n++ {
					if err := nap(ctx); err != nil {
						return err
					}
				}
				return nil
			})
			defer numbers.Close(context.WithoutCancel(ctx))
			for n := range 3 {
				if v, ok, err := numbers.Next(ctx); err != nil || !ok || v != n {
					return errors.Join(err, ctx.Err())
				}
			}
			return nil
		}
		return g, func(context.Context) error {
			if open != 0 {
				return fmt.Errorf("%d generators are open", open)
			}
			return nil
		}
	})
}

// What is shielded comes to its end, whoever waits.
func TestEverywhere_ShieldAndFuture(t *testing.T) {
	everywhere(t, func(ctx context.Context) (g, after func(ctx context.Context) error) {
		begun, ended := 0, 0
		f := asyncio.NewFuture[int](ctx)
		asyncio.Go(ctx, func(ctx context.Context) error { defer f.SetResult(1); return nap(ctx) })
		g = func(ctx context.Context) error {
			_, err := asyncio.Shield(ctx, asyncio.Void(func(ctx context.Context) error {
				begun++
				err := errors.Join(nap(ctx), nap(ctx))
				ended++
				return err
			}))
			if err != nil {
				return err
			}
			_, err = f.Await(ctx)
			return err
		}
		return g, func(ctx context.Context) error {
			v, err := f.Await(ctx)
			if err == nil {
				err = asyncio.Sleep(ctx, time.Second)
			}
			if err == nil && (v != 1 || begun != ended) {
				err = fmt.Errorf("%d shielded functions have begun and %d ended; the future is %d", begun, ended, v)
			}
			return err
		}
	})
}
