package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/asyncio-go/asyncio"
)

func TestGroupGrowth_TasksStartTasksWhileTheGroupCloses(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, time.Second)
				for _, d := range []time.Duration{1, 2} {
					g.Go(func(ctx context.Context) error {
						err := asyncio.Sleep(ctx, d*time.Second)
						s.add("%d", d)
						return err
					})
				}
				s.add("root ends")
				return err
			})
			s.add("f ends")
			return nil
		})
	})
	s.want(t, "f ends", "root ends", "1", "2")
}

// Each task starts the next as its last act; the group ends with the last one.
func TestGroupGrowth_AChainOfTasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const n = 1000
		ran := 0
		err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			var next func(context.Context) error
			next = func(context.Context) error {
				if ran++; ran < n {
					g.Go(next)
				}
				return nil
			}
			g.Go(next)
			return nil
		})
		if ran != n {
			t.Errorf("%d of %d tasks ran", ran, n)
		}
		return err
	})
}

func TestGroupGrowth_ErrorOfATaskThatWasStartedLate(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				_ = asyncio.Sleep(ctx, time.Second)
				g.Go(fail)
				return sleepLong(ctx)
			})
			return nil
		})
		if err != errBoom {
			t.Errorf("Group returned %v", err)
		}
		return nil
	})
}

// Callbacks of the loop may start tasks in a group that is open, and of those only
// the error of the callback itself is the loop's.
func TestGroupGrowth_CallbacksMayStartTasks(t *testing.T) {
	noLeaks(t)
	b, ran := quietBench(), 0
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		groupErr := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(sleeping(time.Minute))
			for d := range 3 {
				l.CallLater(time.Duration(d)*time.Second, func() {
					g.Go(func(context.Context) error { ran++; return nil })
				})
			}
			l.CallLater(time.Hour, func() { g.Go(func(context.Context) error { ran++; return nil }) })
			return nil
		})
		return errors.Join(err, groupErr, asyncio.Sleep(ctx, time.Hour))
	})
	if ran != 3 || err != nil {
		t.Errorf("%d tasks ran, Run = %v", ran, err)
	}
	if len(b.log.Lines()) != 1 || b.log.Count("ERROR asyncio: Exception in callback",
		"TaskGroup.Go: the group of Task-1 has ended; start tasks in it while its function or one of its tasks runs") != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}

// What is done when the last task is done comes too late.
func TestGroupGrowth_EndsWithItsLastTask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		text := ""
		err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(nothing).AddDoneCallback(func(*asyncio.Task[struct{}]) { text = panicOf(func() { g.Go(nothing) }) })
			return nil
		})
		_ = asyncio.Yield(ctx)
		if !strings.HasPrefix(text, "asyncio: TaskGroup.Go: the group of Task-1 has ended;") {
			t.Errorf("in the callback of the last task: %s", text)
		}
		return err
	})
}

// A group that is not joined yet does not end with its last task.
func TestGroupGrowth_StaysOpenWhileItsFunctionRuns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range 3 {
				if _, err := g.Go(nothing).Await(ctx); err != nil {
					return err
				}
				_ = asyncio.Sleep(ctx, time.Second)
			}
			defer g.Go(nothing)
			return nil
		})
	})
}

// The hydra of cpython's test_taskgroup_25: it grows until somebody fails, and then
// it ends although its heads go on to start others.
func TestGroupGrowth_HydraEndsWithTheFirstError(t *testing.T) {
	for _, limit := range []int{0, 5} {
		run(t, func(ctx context.Context) error {
			heads, born := 0, 0
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.SetLimit(limit)
				var hydra func(ctx context.Context) error
				hydra = func(ctx context.Context) error {
					heads++
					err := asyncio.Sleep(ctx, 10*time.Millisecond)
					g.Go(hydra)
					g.Go(hydra)
					born += 2
					return err
				}
				g.Go(hydra)
				for heads < 10 {
					if err := asyncio.Sleep(ctx, 15*time.Millisecond); err != nil {
						return err
					}
				}
				return errBoom
			})
			if err != errBoom || heads < 10 || heads > 40 || born < heads {
				t.Errorf("limit %d: Group returned %v, with %d heads of %d", limit, err, heads, born)
			}
			return nil
		})
	}
}

func TestGroupGrowth_TenThousandTasks(t *testing.T) {
	for _, limit := range []int{0, 100} {
		run(t, func(ctx context.Context) error {
			const n = 10_000
			sum := 0
			err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				g.SetLimit(limit)
				for i := range n {
					g.Go(func(ctx context.Context) error {
						err := asyncio.Sleep(ctx, time.Duration(i%7)*time.Second)
						sum += i
						return err
					})
				}
				return nil
			})
			if sum != n*(n-1)/2 {
				t.Errorf("limit %d: the sum is %d", limit, sum)
			}
			return err
		})
	}
}

func TestGroupGrowth_TenThousandTasksAreCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const n = 10_000
		cancelled := 0
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range n {
				g.Go(func(ctx context.Context) error {
					err := sleepLong(ctx)
					cancelled++
					return err
				})
			}
			_ = asyncio.Yield(ctx)
			return errBoom
		})
		if err != errBoom || cancelled != n {
			t.Errorf("Group returned %v, %d were cancelled", err, cancelled)
		}
		return nil
	})
}

// heldTasks counts the tasks that the garbage collector cannot take.
func heldTasks(tasks []weak.Pointer[asyncio.Task[struct{}]]) (held int) {
	for range 3 {
		runtime.GC()
	}
	for _, w := range tasks {
		if w.Value() != nil {
			held++
		}
	}
	return held
}

// A server has one group for all its life and a task for every request.
func TestGroupGrowth_LongLivedGroupDoesNotHoldWhatHasEnded(t *testing.T) {
	for name, c := range map[string]struct{ rounds, each int }{"few at a time": {1000, 100}, "in one go": {1, 50_000}} {
		run(t, func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				oldest := g.Go(sleepLong) // and some live on beside them
				var tasks []weak.Pointer[asyncio.Task[struct{}]]
				for range c.rounds {
					for range c.each {
						tasks = append(tasks, weak.Make(g.Go(nothing)))
					}
					turns(t, ctx, 1)
				}
				youngest := g.Go(sleepLong)
				turns(t, ctx, 2)
				if held := heldTasks(tasks); held > 100 {
					t.Errorf("%s: %d of %d tasks that have ended are held", name, held, len(tasks))
				}
				oldest.Cancel(nil)
				turns(t, ctx, 2)
				if held := heldTasks(tasks); held > 100 {
					t.Errorf("%s: later %d of %d", name, held, len(tasks))
				}
				youngest.Cancel(nil)
				return nil
			})
		})
	}
}

// The group is empty but for its body: nothing is left of a burst.
func TestGroupGrowth_BurstIsForgotten(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, limit := range []int{0, 10} {
				g.SetLimit(limit)
				var tasks []weak.Pointer[asyncio.Task[struct{}]]
				for range 10_000 {
					tasks = append(tasks, weak.Make(g.Go(nothing)))
				}
				_ = asyncio.Sleep(ctx, time.Second)
				if held := heldTasks(tasks); held > 100 || g.String() != "<TaskGroup>" {
					t.Errorf("limit %d: %d of %d tasks that have ended are held by %v", limit, held, len(tasks), g)
				}
			}
			return nil
		})
	})
}
