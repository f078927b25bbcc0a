package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// What is held back is created, and costs no more than its memory.
func TestGroupHeld_TasksHaveNoCoroutine(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const n = 1000
		var tasks []*asyncio.Task[int]
		before, held := 0, 0
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(1)
			asyncio.SpawnIn(g, groupValue(time.Second, 0))
			_ = asyncio.Yield(ctx)
			before = runtime.NumGoroutine()
			for range n {
				tasks = append(tasks, asyncio.SpawnIn(g, groupValue(0, 7)))
			}
			turns(t, ctx, 3)
			held = runtime.NumGoroutine()
			for _, task := range tasks {
				if task.State() != asyncio.Created || task.Done() || task.WaitingFor() != "" {
					t.Fatalf("a task that is held back is %v, %v", task.State(), task)
				}
			}
			l, err := asyncio.RunningLoop(ctx)
			if tree := l.Tasks(); tree.Len() != n+2 || !strings.Contains(tree.String(), " is created\n") {
				t.Errorf("the loop has %d tasks", tree.Len())
			}
			return err
		})
		if held > before+10 {
			t.Errorf("%d goroutines for %d tasks that are held back", held-before, n)
		}
		for _, task := range tasks {
			if v, err := task.Result(); v != 7 || err != nil {
				t.Fatalf("a task returned %d, %v", v, err)
			}
		}
		return err
	})
}

func TestGroupHeld_CancelOfOne(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		var tasks []*asyncio.Task[struct{}]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(1)
			for i := range 5 {
				tasks = append(tasks, g.Go(func(ctx context.Context) error {
					s.add("%d", i)
					return asyncio.Sleep(ctx, time.Second)
				}))
			}
			_ = asyncio.Yield(ctx)
			if !tasks[2].Cancel(errBoom) || tasks[2].Cancel(errBoom) {
				t.Error("the first Cancel does not report that it was the first")
			}
			_, err := tasks[2].Await(ctx) // it need not wait for its turn
			wantErr(t, err, "asyncio: cancelled: boom")
			s.add("2 is %v", tasks[2].State())
			tasks[3].Cancel(nil)
			return nil
		})
		if tasks[3].State() != asyncio.Cancelled || tasks[4].State() != asyncio.Succeeded {
			t.Errorf("3 is %v, 4 is %v", tasks[3].State(), tasks[4].State())
		}
		return err
	})
	s.want(t, "0", "2 is cancelled", "1", "4")
}

// A cancelled task does not take the turn of another one.
func TestGroupHeld_CancelledOnesLeaveTheLimitAlone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		n := &groupCount{}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(2)
			for range 2 {
				g.Go(n.work(time.Second))
			}
			for range 50 {
				g.Go(n.work(time.Second)).Cancel(nil)
			}
			for range 4 {
				g.Go(n.work(time.Second))
			}
			return nil
		})
		if n.most != 2 || n.ran != 6 {
			t.Errorf("%d of %d ran at a time", n.most, n.ran)
		}
		return err
	})
}

func TestGroupHeld_TasksAreCancelledWithTheGroup(t *testing.T) {
	for name, cancel := range map[string]func(ctx context.Context, g *asyncio.TaskGroup) error{
		"by Cancel": func(_ context.Context, g *asyncio.TaskGroup) error { g.Cancel(); return nil },
		"by f":      func(context.Context, *asyncio.TaskGroup) error { return errBoom },
		"from outside": func(ctx context.Context, _ *asyncio.TaskGroup) error {
			asyncio.CurrentTask(ctx).Cancel(errBoom)
			return nil
		},
	} {
		s := &story{}
		run(t, func(ctx context.Context) error {
			var held []*asyncio.Task[struct{}]
			parent := asyncio.Go(ctx, groupIn(func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.SetLimit(1)
				g.Go(sleepLong).AddDoneCallback(func(*asyncio.Task[struct{}]) { s.add("running") })
				for i := range 3 {
					task := g.Go(func(context.Context) error { t.Error("it ran"); return nil })
					task.AddDoneCallback(func(*asyncio.Task[struct{}]) { s.add("%d", i) })
					held = append(held, task)
				}
				_ = asyncio.Yield(ctx)
				return cancel(ctx, g)
			}))
			_, _ = parent.Await(ctx)
			for _, task := range held {
				if task.State() != asyncio.Cancelled {
					t.Errorf("%s: a task is %v", name, task.State())
				}
			}
			return nil
		})
		s.want(t, "running", "0", "1", "2")
	}
}

func TestGroupHeld_ErrorOfATaskCancelsThem(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var held []*asyncio.Task[int]
		past := took(t, ctx, func() {
			err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				g.SetLimit(1)
				g.Go(groupError(time.Second, errBoom))
				for range 100 {
					held = append(held, asyncio.SpawnIn(g, func(context.Context) (int, error) { t.Error("it ran"); return 0, nil }))
				}
				return nil
			})
			if err != errBoom {
				t.Errorf("Group returned %v", err)
			}
		})
		cancelled := func(task *asyncio.Task[int]) bool { return task.State() == asyncio.Cancelled }
		if i := slices.IndexFunc(held, func(task *asyncio.Task[int]) bool { return !cancelled(task) }); i >= 0 || past != time.Second {
			t.Errorf("task %d is not cancelled, after %v", i, past)
		}
		return nil
	})
}

// They need not wait until those that run have cleaned up.
func TestGroupHeld_TasksAreCancelledAtOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		never := func(context.Context) (int, error) { t.Error("it ran"); return 0, nil }
		return asyncio.Group(ctx, func(groupCtx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(1)
			g.Go(groupCleanup(time.Hour, nil))
			held := asyncio.SpawnIn(g, never)
			_ = asyncio.Yield(groupCtx)
			past := took(t, ctx, func() {
				g.Cancel()
				late := asyncio.SpawnIn(g, never)
				_, err := held.Await(ctx)
				_, lateErr := late.Await(ctx)
				wantErr(t, err, "asyncio: cancelled: the group was cancelled")
				wantErr(t, lateErr, "asyncio: cancelled: the group was cancelled")
			})
			if past != 0 || g.String() != "<TaskGroup tasks=1 cancelling>" {
				t.Errorf("after %v there is %v", past, g)
			}
			return nil
		})
	})
}

// One that is cancelled, and let begin in the same turn, ends once.
func TestGroupHeld_CancelledAndLetBeginInTheSameTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		n := &groupCount{}
		var err error
		past := took(t, ctx, func() {
			err = asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				g.SetLimit(1)
				g.Go(n.work(time.Second))
				for i := range 6 {
					if task := g.Go(n.work(time.Duration(i) * time.Second)); i%2 == 0 {
						task.Cancel(nil)
					}
				}
				g.SetLimit(2)
				g.SetLimit(0)
				if g.String() != "<TaskGroup tasks=7>" {
					t.Errorf("the group is %v", g)
				}
				return nil
			})
		})
		if n.ran != 4 || past != 5*time.Second {
			t.Errorf("%d tasks ran, in %v", n.ran, past)
		}
		return err
	})
}

func TestGroupHeld_TasksMayBeAwaited(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(1)
			first := asyncio.SpawnIn(g, groupValue(time.Second, 1))
			second := asyncio.SpawnIn(g, groupValue(time.Second, 2))
			third := asyncio.SpawnIn(g, groupValue(time.Second, 3))
			v, err := third.Await(ctx)
			done, pending, waitErr := asyncio.Wait(ctx, asyncio.FirstDone, first, second)
			if v != 3 || len(done) != 2 || len(pending) != 0 {
				t.Errorf("the third returned %d when %d were done", v, len(done))
			}
			return errors.Join(err, waitErr)
		})
	})
}

// A task that awaits one that is held back until it ends itself waits for ever. That
// is found, and the report says who was never let begin.
func TestGroupHeld_AwaitInATaskOfTheGroup(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(1)
			g.Go(func(ctx context.Context) error {
				_, err := asyncio.SpawnIn(g, taskAnswer).Await(ctx)
				return err
			})
			return nil
		})
	})
	if !errors.Is(err, asyncio.ErrDeadlock) {
		t.Errorf("Run returned %v", err)
	}
	if text := b.log.Text(); !strings.Contains(text, "Task-1-1-1 (asyncio_test.taskAnswer) is created") {
		t.Errorf("logged:\n%s", text)
	}
}
