package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestGroupShutdown_EndsAGroupInItsJoin(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				groupTeller(s, g, 2)
				g.Go(func(ctx context.Context) error {
					err := sleepLong(ctx)
					g.Go(func(context.Context) error { t.Error("a task of a closing loop ran"); return nil })
					return err
				})
				return nil
			})
			s.add("group: %v", err)
			return err
		})
		turns(t, ctx, 2)
		return nil
	})
	const why = "asyncio: cancelled: the event loop is shutting down"
	s.want(t, "0: "+why, "1: "+why, "group: "+why)
}

func TestGroupShutdown_EndsTasksThatAreHeld(t *testing.T) {
	for name, scope := range map[string]func(ctx context.Context) context.Context{
		"below the task":                   func(ctx context.Context) context.Context { return ctx },
		"where no cancellation reaches it": context.WithoutCancel,
	} {
		var held *asyncio.Task[struct{}]
		run(t, func(ctx context.Context) error {
			asyncio.Go(ctx, func(ctx context.Context) error {
				return asyncio.Group(scope(ctx), func(_ context.Context, g *asyncio.TaskGroup) error {
					g.SetLimit(1)
					g.Go(sleepLong)
					held = g.Go(func(context.Context) error { t.Error("it ran"); return nil })
					return nil
				})
			})
			return asyncio.Yield(ctx)
		})
		if held.State() != asyncio.Cancelled {
			t.Errorf("%s: it is %v", name, held.State())
		}
	}
}

// A forced unwind keeps the order too: the group is left when its task is gone.
func TestGroupShutdown_ForcedUnwindOfAGroup(t *testing.T) {
	for name, immortal := range immortals {
		switch name {
		case "spins on failing awaits":
			continue // its steps take real time, and it waits for nothing
		case "awaits in its deferred functions":
			continue // for longer than these are given: then no await returns, the group's neither
		}
		noLeaks(t)
		s, b := &story{}, quietBench()
		b.Options.ShutdownTimeout = time.Minute
		err := b.Run(t.Context(), func(ctx context.Context) error {
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "parent"}, asyncio.Void(func(ctx context.Context) error {
				defer s.add("group is left")
				return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
					asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "child", Group: g}, asyncio.Void(func(ctx context.Context) error {
						return immortal(ctx, func() { s.add("task has cleaned up") })
					}))
					return nil
				})
			}))
			turns(t, ctx, 3)
			return errBoom
		})
		var se *asyncio.ShutdownError
		if !errors.Is(err, errBoom) || !errors.As(err, &se) || len(se.Left) != 2 ||
			!strings.Contains(se.Left[0], "name='parent'") || !strings.Contains(se.Left[1], "name='child'") {
			t.Errorf("%s: Run returned %v", name, err)
		}
		if got := strings.Join(s.events, "; "); got != "task has cleaned up; group is left" {
			t.Errorf("%s: happened: %s", name, got)
		}
	}
}

// What the unwound task waited for is told with the task.
func TestGroupShutdown_ForcedUnwindSaysWhatTheParentWaitsFor(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	b.Options.ShutdownTimeout = time.Minute
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Go(ctx, groupIn(func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error { return asyncio.Sleep(context.WithoutCancel(ctx), 1000*time.Hour) })
			return nil
		}))
		turns(t, ctx, 3)
		return nil
	})
	var se *asyncio.ShutdownError
	if !errors.As(err, &se) || len(se.Left) != 2 {
		t.Fatalf("Run returned %v", err)
	}
	for i, want := range []string{"group_nested_test.go:", "group_shutdown_test.go:"} {
		if !strings.Contains(se.Left[i], " at asyncio_test.") || !strings.Contains(se.Left[i], want) {
			t.Errorf("left: %s, want where it stands", se.Left[i])
		}
	}
}

// The main task is waited for without limit, and so are its groups.
func TestGroupShutdown_MainInItsJoinIsNotShutDown(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	b.Options.ShutdownTimeout = time.Second
	ctx, cancel := context.WithCancelCause(t.Context())
	err := b.Run(ctx, groupIn(func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.Go(groupCleanup(time.Hour, nil))
		_ = asyncio.Yield(ctx)
		cancel(errBoom)
		return nil
	}))
	wantErr(t, err, "asyncio: cancelled: boom")
	if b.log.Text() != "" {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}

// The body of a generator may open groups; its consumer sees what they return.
func TestGroupShutdown_GroupInAGenerator(t *testing.T) {
	run(t, func(ctx context.Context) error {
		gen := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			for i := 1; ; i++ {
				var task *asyncio.Task[int]
				err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
					task = asyncio.SpawnIn(g, groupValue(time.Second, i*i))
					if i == 4 {
						g.Go(fail)
					}
					return nil
				})
				if v, _ := task.Result(); err != nil || !yield(v) {
					return err
				}
			}
		})
		sum, last := 0, error(nil)
		for v, err := range gen.All(ctx) {
			sum, last = sum+v, err
		}
		if sum != 1+4+9 || last != errBoom {
			t.Errorf("the sum is %d, then %v", sum, last)
		}
		return nil
	})
}

// A group around a yield stays open while the consumer has the value. When nobody
// wants more, yield returns false and the body ends its group.
func TestGroupShutdown_YieldInAGroup(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		gen := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			defer s.add("generator has ended")
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				q := asyncio.NewQueue[int](1)
				g.Go(func(ctx context.Context) error {
					defer s.add("producer has ended")
					for i := 0; ; i++ {
						if err := q.Put(ctx, i); err != nil {
							return err
						}
					}
				})
				for v, err := range q.All(ctx) {
					if err != nil {
						return err
					}
					if !yield(v) {
						g.Cancel()
						return nil
					}
				}
				return nil
			})
		})
		for v, err := range gen.All(ctx) {
			s.add("%d, %v", v, err)
			if v == 2 {
				break
			}
		}
		s.add("consumer goes on")
		return asyncio.Yield(ctx)
	})
	s.want(t, "0, <nil>", "1, <nil>", "2, <nil>", "producer has ended", "generator has ended", "consumer goes on")
}

func TestGroupShutdown_GeneratorThatIsClosedInItsJoin(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		gen := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			yield(1)
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				groupTeller(s, g, 1)
				return nil
			})
		})
		_, _, err := gen.Next(ctx)
		scope := groupCancelledLater(ctx, time.Second)
		_, _, cancelled := gen.Next(scope)
		wantErr(t, cancelled, "asyncio: cancelled: boom")
		return errors.Join(err, gen.Close(ctx))
	})
	s.want(t, "0: asyncio: cancelled: the generator is being closed")
}

func TestGroupShutdown_PanicOfATaskInAGenerator(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		gen := asyncio.Generate(ctx, func(ctx context.Context, _ func(int) bool) error {
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				asyncio.SpawnIn(g, taskPanic)
				return nil
			})
		})
		value := groupPanicValue(func() { _, _, _ = gen.Next(ctx) })
		pe, ok := value.(*asyncio.PanicError)
		if !ok || pe.Value != "kaboom" || !strings.Contains(string(pe.Stack), "asyncio_test.taskPanic") {
			t.Errorf("Next panicked with %v", value)
		}
		return asyncio.Yield(ctx)
	})
	if err != nil || len(b.log.Lines()) != 1 || b.log.Count("ERROR asyncio: Task panicked", "kaboom") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}
