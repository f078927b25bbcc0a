package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Circles that a join is part of: it must not fail, so another wait does.

func TestDeadlock_ParentHoldsTheLockThatItsChildWants(t *testing.T) {
	for name, childFirst := range map[string]bool{"the child blocks last": false, "the join comes last": true} {
		calmly(t, func(ctx context.Context) error {
			busyFor(ctx, 100)
			s := &story{}
			var l asyncio.Lock
			_ = l.Acquire(ctx)
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "child", Group: g}, func(ctx context.Context) (int, error) {
					if !childFirst {
						turns(t, ctx, 3)
					}
					err := l.Acquire(ctx)
					waiters := map[bool]string{true: " waiters=1"}[childFirst]
					wantDeadlock(t, err, "child waits for <Lock-1 locked by Task-1"+waiters+">, held by Task-1, "+
						"which waits for <TaskGroup tasks=1>, held by child")
					s.add("child gave up")
					return 0, nil
				})
				if childFirst {
					turns(t, ctx, 3)
				}
				return nil
			})
			s.add("joined %v", err)
			l.Release()
			if s.want(t, "child gave up", "joined <nil>"); t.Failed() {
				t.Log(name)
			}
			return asyncio.Yield(ctx)
		})
	}
}

// What the child returns is an error of the group like any other.
func TestDeadlock_OfAChildFailsItsGroup(t *testing.T) {
	s := &story{}
	calmly(t, func(ctx context.Context) error {
		var l asyncio.Lock
		return l.Do(ctx, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					err := sleepLong(ctx)
					s.add("sibling %v", errors.Is(err, context.Canceled))
					return err
				})
				g.Go(l.Acquire)
				return nil
			})
			var group *asyncio.GroupError
			if !errors.Is(err, asyncio.ErrDeadlock) || errors.As(err, &group) {
				t.Errorf("Group = %v, want the DeadlockError as it is", err)
			}
			return asyncio.Yield(ctx)
		})
	})
	s.want(t, "sibling true")
}

func TestDeadlock_SeveralChildrenWantWhatTheParentHolds(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		busyFor(ctx, 100)
		var l1, l2 asyncio.Lock
		_, _ = l1.Acquire(ctx), l2.Acquire(ctx)
		failed := 0
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, l := range []*asyncio.Lock{&l1, &l2, &l1} {
				g.Go(func(ctx context.Context) error {
					if err := l.Acquire(ctx); errors.Is(err, asyncio.ErrDeadlock) {
						failed++
					}
					return nil
				})
			}
			turns(t, ctx, 3) // all three wait before the join
			return nil
		})
		if failed != 3 {
			t.Errorf("%d of 3 failed", failed)
		}
		l1.Release()
		l2.Release()
		return err
	})
}

func TestDeadlock_ChildAwaitsItsParent(t *testing.T) {
	for fn, join := range map[string]func(ctx context.Context, f func(context.Context) (int, error)) error{
		"TaskGroup": func(ctx context.Context, f func(context.Context) (int, error)) error {
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error { asyncio.SpawnIn(g, f); return nil })
		},
		"Gather": func(ctx context.Context, f func(context.Context) (int, error)) error {
			_, err := asyncio.Gather(ctx, f)
			return err
		},
		"Settle": func(ctx context.Context, f func(context.Context) (int, error)) error {
			return asyncio.Settle(ctx, f)[0].Err
		},
		"First": func(ctx context.Context, f func(context.Context) (int, error)) error {
			_, err := asyncio.First(ctx, f)
			return err
		},
	} {
		calmly(t, func(ctx context.Context) error {
			busyFor(ctx, 100)
			var parent *asyncio.Task[int]
			parent = asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "parent"}, func(ctx context.Context) (int, error) {
				return 3, join(ctx, func(ctx context.Context) (int, error) { return parent.Await(ctx) })
			})
			_, err := parent.Await(ctx)
			wantDeadlock(t, err, "parent-1 waits for <Task pending name='parent' "+
				"coro=asyncio_test.TestDeadlock_ChildAwaitsItsParent.func5.1()>, held by parent, "+
				"which waits for <"+fn+" tasks=1>, held by parent-1")
			return nil
		})
	}
}

// A grandchild in a group of a group, and a wait for one of several.
func TestDeadlock_ThroughSeveralJoins(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		busyFor(ctx, 100)
		var l asyncio.Lock
		return l.Do(ctx, func(ctx context.Context) error {
			_, err := asyncio.Gather(ctx, taskAnswer, func(ctx context.Context) (int, error) {
				return 0, asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
					g.Go(func(ctx context.Context) error {
						turns(t, ctx, 3)
						wantDeadlock(t, l.Acquire(ctx), "Task-1-3-1 waits for <Lock-1 locked by Task-1>, held by Task-1, "+
							"which waits for <Gather tasks=1>, held by Task-1-3, which waits for <TaskGroup tasks=1>, held by Task-1-3-1")
						return nil
					})
					return nil
				})
			})
			return err
		})
	})
}

func TestDeadlock_EagerChild(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		var l asyncio.Lock
		return l.Do(ctx, func(ctx context.Context) error {
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					turns(t, ctx, 2) // the parent joins already
					_, err := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true, Group: g}, func(ctx context.Context) (int, error) {
						if err := l.Acquire(ctx); !errors.Is(err, asyncio.ErrDeadlock) {
							t.Errorf("Acquire = %v, want the deadlock", err)
						}
						return 0, nil
					}).Await(ctx)
					return err
				})
				return nil
			})
		})
	})
}

func TestDeadlock_GeneratorWantsTheLockOfItsConsumer(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		busyFor(ctx, 100)
		var l asyncio.Lock
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			if yield(1) {
				return l.Acquire(ctx)
			}
			return nil
		})
		return l.Do(ctx, func(ctx context.Context) error {
			if v, ok, err := g.Next(ctx); v != 1 || !ok || err != nil {
				t.Errorf("Next = %v, %v, %v, want 1", v, ok, err)
			}
			_, ok, err := g.Next(ctx)
			wantDeadlock(t, err, "Generator-1-2 waits for <Lock-1 locked by Task-1>, held by Task-1, which waits for <Generator "+
				"Generator-1-2 asyncio_test.TestDeadlock_GeneratorWantsTheLockOfItsConsumer.func1.1() running>, held by Generator-1-2")
			if ok {
				t.Error("there is another value")
			}
			return nil
		})
	})
}

// The body waits for the lock already: its consumer was cancelled. Then it is
// Next that closes the circle; it fails, and can be called again.
func TestDeadlock_NextOfAGeneratorThatWaitsForOnesLock(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		busyFor(ctx, 200)
		var l asyncio.Lock
		_ = l.Acquire(ctx)
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			err := l.Do(ctx, nothing)
			yield(5)
			return err
		})
		consumer := asyncio.Go(ctx, func(ctx context.Context) error { _, _, err := g.Next(ctx); return err })
		turns(t, ctx, 2)
		consumer.Cancel(nil)
		_, _ = consumer.Await(ctx)
		if _, _, err := g.Next(ctx); !errors.Is(err, asyncio.ErrDeadlock) {
			t.Errorf("Next = %v, want the deadlock", err)
		}
		l.Release()
		v, ok, err := g.Next(ctx)
		if v != 5 || !ok {
			t.Errorf("Next = %v, %v, want 5", v, ok)
		}
		return errors.Join(err, g.Close(ctx))
	})
}

func TestDeadlock_WaitAllDone(t *testing.T) {
	for _, waitLast := range []bool{false, true} {
		calmly(t, func(ctx context.Context) error {
			busyFor(ctx, 100)
			var a, b *asyncio.Task[struct{}]
			var told error
			a = startAs(ctx, "a", func(ctx context.Context) error {
				if waitLast {
					turns(t, ctx, 2)
				}
				done, pending, err := asyncio.Wait(ctx, asyncio.AllDone, asyncio.Spawn(ctx, taskAnswer), b)
				if waitLast {
					told = err
					if len(done)+len(pending) != 2 {
						t.Errorf("the lists are %v and %v", done, pending)
					}
				}
				return nil
			})
			b = startAs(ctx, "b", func(ctx context.Context) error {
				turns(t, ctx, 1)
				_, err := a.Await(ctx)
				if !waitLast {
					told = err
				}
				return nil
			})
			err := allOf(ctx, a, b)
			var de *asyncio.DeadlockError
			if !errors.As(told, &de) || len(de.Circle) != 2 {
				t.Errorf("waitLast=%v: error is %v, want a circle of two", waitLast, told)
			}
			return err
		})
	}
}

// A wait for some of several has a way out.
func TestDeadlock_WaitFirstDoneIsNoCircle(t *testing.T) {
	for _, mode := range []asyncio.WaitMode{asyncio.FirstDone, asyncio.FirstError} {
		for _, waitLast := range []bool{false, true} {
			calmly(t, func(ctx context.Context) error {
				var a *asyncio.Task[struct{}]
				b := asyncio.Go(ctx, func(ctx context.Context) error {
					turns(t, ctx, 2)
					_, err := a.Await(ctx)
					return err
				})
				fails := asyncio.Spawn(ctx, later(time.Hour, 0, errBoom))
				a = asyncio.Go(ctx, func(ctx context.Context) error {
					if waitLast {
						turns(t, ctx, 4)
					}
					done, pending, err := asyncio.Wait(ctx, mode, b, fails)
					if len(done) != 1 || len(pending) != 1 {
						t.Errorf("mode %d: lists of %d and %d", mode, len(done), len(pending))
					}
					_, _ = fails.Await(ctx)
					return err
				})
				return allOf(ctx, a, b)
			})
		}
	}
}

// One circle of all kinds of waits, closed by each of them in turn.
func TestDeadlock_CircleOfAllKinds(t *testing.T) {
	const kinds = 5
	for last := range kinds {
		calmly(t, func(ctx context.Context) error {
			busyFor(ctx, 200)
			var l asyncio.Lock
			tasks := make([]*asyncio.Task[struct{}], kinds)
			waits := [kinds]func(ctx context.Context) error{ // each for the next, and the last one for the first
				func(ctx context.Context) error { _, err := tasks[1].Await(ctx); return err },
				func(ctx context.Context) error { _, _, err := asyncio.Wait(ctx, asyncio.AllDone, tasks[2]); return err },
				func(ctx context.Context) error {
					_, err := asyncio.Gather(ctx, func(ctx context.Context) (int, error) { _, err := tasks[3].Await(ctx); return 0, err })
					return err
				},
				func(ctx context.Context) error {
					_, _, err := asyncio.Generate(ctx, func(ctx context.Context, _ func(int) bool) error {
						_, err := tasks[4].Await(ctx)
						return err
					}).Next(ctx)
					return err
				},
				func(ctx context.Context) error { return l.Do(ctx, nothing) },
			}
			failed := 0
			for i := range tasks {
				tasks[i] = asyncio.Go(ctx, func(ctx context.Context) error {
					if i == 0 {
						_ = l.Acquire(ctx)
						defer l.Release()
					}
					turns(t, ctx, 3)
					if i == last {
						turns(t, ctx, 10)
					}
					if errors.Is(waits[i](ctx), asyncio.ErrDeadlock) {
						failed++
					}
					return nil
				})
			}
			err := allOf(ctx, tasks...)
			if failed != 1 {
				t.Errorf("closed by %d: %d waits failed, want one", last, failed)
			}
			return err
		})
	}
}
