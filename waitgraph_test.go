package asyncio_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// What is no circle fails nobody, however large it is.

func TestWaitGraph_LongChains(t *testing.T) {
	const n = 2000
	for name, order := range map[string]func(i int) int{
		"each waits for one that waits": func(i int) int { return i },
		"each is waited for":            func(i int) int { return n - 1 - i },
		"both":                          func(i int) int { return i * 7919 % n },
	} {
		calmly(t, func(ctx context.Context) error {
			tasks := make([]*asyncio.Task[int], n)
			start := make([]*asyncio.Future[int], n)
			for i := range tasks {
				start[i] = asyncio.NewFuture[int](ctx)
				tasks[i] = asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
					if _, err := start[i].Await(ctx); err != nil || i == 0 {
						return 1, errors.Join(err, asyncio.Sleep(ctx, time.Second))
					}
					v, err := tasks[i-1].Await(ctx)
					return v + 1, err
				})
			}
			for i := range n {
				start[order(i)].SetResult(1)
				turns(t, ctx, 1)
			}
			v, err := tasks[n-1].Await(ctx)
			if v != n {
				t.Errorf("%s: the last has %d, want %d", name, v, n)
			}
			return err
		})
	}
}

func TestWaitGraph_Diamond(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		a := asyncio.Spawn(ctx, later(time.Second, 1, nil))
		b, c := asyncio.Spawn(ctx, a.Await), asyncio.Spawn(ctx, a.Await)
		d := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			done, _, err := asyncio.Wait(ctx, asyncio.AllDone, b, c, a)
			return len(done), err
		})
		v, err := d.Await(ctx)
		if v != 3 {
			t.Errorf("d saw %d done, want 3", v)
		}
		return err
	})
}

// Two tasks on each of 60 levels wait for both of the level below: 2⁶⁰ ways from
// top to bottom. Those in the middle begin to wait last, and are waited for, so
// that all below them is searched.
func TestWaitGraph_Lattice(t *testing.T) {
	const levels = 60
	calmly(t, func(ctx context.Context) error {
		rows := make([][2]*asyncio.Task[struct{}], levels)
		for i := range rows {
			for k := range 2 {
				rows[i][k] = asyncio.Go(ctx, func(ctx context.Context) error {
					if i == 0 {
						return asyncio.Sleep(ctx, time.Hour)
					}
					if i == levels/2 {
						turns(t, ctx, 5)
					}
					_, _, err := asyncio.Wait(ctx, asyncio.AllDone, rows[i-1][0], rows[i-1][1])
					return err
				})
			}
		}
		top := rows[levels-1]
		return allOf(ctx, top[0], top[1])
	})
}

func TestWaitGraph_LockOfATaskThatSleeps(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		var l1, l2 asyncio.Lock
		past := took(t, ctx, func() {
			err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				for range 10 {
					g.Go(func(ctx context.Context) error {
						return l1.Do(ctx, func(ctx context.Context) error { return l2.Do(ctx, sleeping(time.Second)) })
					})
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		if past != 10*time.Second {
			t.Errorf("ten turns at the locks took %v, want 10s", past)
		}
		return nil
	})
}

// What anybody may give has no holder: a future, an event, a permit, an item.
func TestWaitGraph_WhatAnybodyMayGiveClosesNoCircle(t *testing.T) {
	type waits = func(ctx context.Context) error
	for name, make := range map[string]func(ctx context.Context) (waits, func()){
		"future": func(ctx context.Context) (waits, func()) {
			f := asyncio.NewFuture[int](ctx)
			return func(ctx context.Context) error { _, err := f.Await(ctx); return err }, func() { f.SetResult(1) }
		},
		"event": func(context.Context) (waits, func()) {
			e := &asyncio.Event{}
			return e.Wait, e.Set
		},
		"permit": func(ctx context.Context) (waits, func()) {
			s := asyncio.NewSemaphore(1)
			return s.Acquire, s.Release
		},
		"item": func(context.Context) (waits, func()) {
			q := asyncio.NewQueue[int](1)
			return func(ctx context.Context) error { _, err := q.Get(ctx); return err }, func() { _ = q.TryPut(1) }
		},
	} {
		calmly(t, func(ctx context.Context) error {
			wait, give := make(ctx)
			var a *asyncio.Task[struct{}]
			b := asyncio.Go(ctx, func(ctx context.Context) error {
				if name == "permit" {
					_ = wait(ctx) // it has the only one, and gives it back to nobody
				}
				_, err := a.Await(ctx)
				return err
			})
			a = asyncio.Go(ctx, func(ctx context.Context) error {
				turns(t, ctx, 2)
				err := wait(ctx)
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				return err
			})
			turns(t, ctx, 5)
			give()
			return allOf(ctx, a, b)
		})
	}
}

// waitForSome waits for tasks that were started earlier, in one way or another.
func waitForSome(ctx context.Context, r *rand.Rand, earlier []*asyncio.Task[struct{}], locks []asyncio.Lock) error {
	if len(earlier) == 0 {
		return asyncio.Yield(ctx)
	}
	i := r.IntN(len(earlier))
	again := func(ctx context.Context) error { return waitForSome(ctx, r, earlier[:i], locks) }
	switch r.IntN(6) {
	case 0:
		return asyncio.Sleep(ctx, time.Duration(r.IntN(3))*time.Second)
	case 1:
		_, err := earlier[i].Await(ctx)
		return err
	case 2:
		_, _, err := asyncio.Wait(ctx, asyncio.AllDone, earlier[i], earlier[i/2], earlier[r.IntN(len(earlier))])
		return err
	case 3:
		_, err := asyncio.Gather(ctx, asyncio.Void(again), earlier[i].Await, asyncio.Void(again))
		return err
	case 4:
		_, _, err := asyncio.Generate(ctx, func(ctx context.Context, _ func(int) bool) error { return again(ctx) }).Next(ctx)
		return err
	default:
		return locks[i].Do(ctx, nothing) // which the earlier task has had from the beginning
	}
}

func TestWaitGraph_RandomAcyclicWaits(t *testing.T) {
	for seed := range uint64(60) {
		b := newBench()
		b.Options.Chooser = seededChooser(seed)
		err := b.Run(context.Background(), func(ctx context.Context) error {
			const n = 60
			r := rand.New(rand.NewPCG(seed, 1))
			tasks, locks := make([]*asyncio.Task[struct{}], n), make([]asyncio.Lock, n)
			for i := range tasks {
				r := rand.New(rand.NewPCG(r.Uint64(), 0))
				tasks[i] = asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, asyncio.Void(func(ctx context.Context) error {
					return locks[i].Do(ctx, func(ctx context.Context) error {
						var errs []error
						for range 5 {
							errs = append(errs, waitForSome(ctx, r, tasks[:i], locks))
						}
						return errors.Join(errs...)
					})
				}))
			}
			return allOf(ctx, tasks...)
		})
		if err != nil || b.log.Text() != "" {
			t.Fatalf("seed %d: Run = %v, logged:\n%s", seed, err, b.log.Text())
		}
	}
}

// Children that contend for a lock while their parent joins them are searched for
// circles, one after another; that must not take long.
func TestWaitGraph_ManyChildrenContend(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		var l asyncio.Lock
		n := 0
		err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			for range 10_000 {
				g.Go(func(ctx context.Context) error {
					return l.Do(ctx, func(ctx context.Context) error { n++; return asyncio.Yield(ctx) })
				})
			}
			return nil
		})
		if n != 10_000 {
			t.Errorf("%d of 10,000 had the lock", n)
		}
		return err
	})
}
