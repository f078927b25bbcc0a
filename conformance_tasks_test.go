package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// What asyncio is known to do in the corners of tasks, timeouts and groups, and
// what happens there here.

func TestCancel_PanicOnTheWayOutIsTheResult(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			defer explode()
			return sleepLong(ctx)
		})
		turns(t, ctx, 1)
		task.Cancel(errBoom)
		_, err := task.Await(ctx)
		var pe *asyncio.PanicError
		if task.State() != asyncio.Panicked || !errors.As(err, &pe) || pe.Value != "kaboom" || errors.Is(err, context.Canceled) {
			t.Errorf("the task is %v with %v, want the panic", task.State(), err)
		}
		return nil
	})
	if err != nil || len(b.log.Lines()) != 1 || b.log.Count("ERROR asyncio: Task panicked", "kaboom") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

// What a task cancels with itself are the tasks below it, not those it awaits
// (test_cancel_awaited_task).
func TestCancel_OfOneselfReachesWhatLiesBelow(t *testing.T) {
	run(t, func(ctx context.Context) error {
		elsewhere, future := asyncio.Go(ctx, sleeping(time.Second)), asyncio.NewFuture[int](ctx)
		var below *asyncio.Task[int]
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			below = asyncio.Spawn(ctx, future.Await)
			turns(t, ctx, 1)
			asyncio.CurrentTask(ctx).Cancel(errBoom)
			for _, await := range []func(context.Context) (int, error){
				below.Await, func(ctx context.Context) (int, error) { _, err := elsewhere.Await(ctx); return 0, err },
			} {
				_, err := await(ctx)
				wantCancelled(t, "its await", err, errBoom)
			}
			return nil
		})
		_, err := task.Await(ctx)
		if below.State() != asyncio.Cancelled || future.Done() || elsewhere.Done() {
			t.Errorf("below it is %v; done: %v, %v, want cancelled; false, false", below.State(), future.Done(), elsewhere.Done())
		}
		_, elsewhereErr := elsewhere.Await(ctx)
		return errors.Join(err, elsewhereErr)
	})
}

// In asyncio cancel marks the exception of a task that is done as seen.
func TestReport_CancelOfAFailedTaskHidesNothing(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		task := asyncio.Go(ctx, fail)
		turns(t, ctx, 1)
		if task.Cancel(nil) {
			t.Error("Cancel = true for a task that has failed")
		}
		return nil
	})
	if err != nil || b.log.Count("ERROR asyncio: Task exception was never retrieved", "exception=boom") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestTask_StringsAreShort(t *testing.T) {
	run(t, func(ctx context.Context) error {
		value := asyncio.Spawn(ctx, func(context.Context) (string, error) { return strings.Repeat("é\n", 1000), nil })
		failed := asyncio.Spawn(ctx, func(context.Context) (int, error) { return 0, errors.New("first line\nsecond line") })
		future := asyncio.NewFuture[[]int](ctx)
		future.SetResult(make([]int, 1000))
		turns(t, ctx, 1)
		if _, err := failed.Result(); err == nil {
			t.Error("no error")
		}
		for _, s := range []fmt.Stringer{value, failed, future} {
			if text := s.String(); len(text) > 250 || strings.Contains(text, "\n") || strings.Contains(text, "second") {
				t.Errorf("String() = %s", text)
			}
		}
		return nil
	})
}

func TestShield_OfWhatIsCancelledInside(t *testing.T) {
	run(t, func(ctx context.Context) error {
		inner := asyncio.Go(ctx, sleepLong)
		outer := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Shield(ctx, inner.Await)
			wantCancelled(t, "Shield", err, errBoom)
			return asyncio.Yield(ctx) // it was not this task that was cancelled
		})
		turns(t, ctx, 1)
		inner.Cancel(errBoom)
		_, err := outer.Await(ctx)
		return err
	})
}

func TestWaitFor_RunsInTheTaskThatCalls(t *testing.T) {
	run(t, func(ctx context.Context) error {
		me := asyncio.CurrentTask(ctx)
		inside, err := asyncio.WaitFor(ctx, time.Second, func(ctx context.Context) (asyncio.AnyTask, error) {
			return asyncio.CurrentTask(ctx), asyncio.Yield(ctx)
		})
		if inside != me {
			t.Errorf("the function ran in %v, want %v", inside, me)
		}
		return err
	})
}

func TestEager_IsAmongTheTasksDuringItsFirstStep(t *testing.T) {
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		var during string
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "eager", Eager: true}, func(context.Context) (int, error) {
			for task := range l.Tasks().All() {
				during += task.Name() + " "
			}
			return 0, nil
		})
		if during != "Task-1 eager " || l.Tasks().Len() != 1 {
			t.Errorf("tasks were %s, and are %v", during, l.Tasks())
		}
		return nil
	})
}

func TestDebug_SaysNothingOfWhatIsRight(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Debug = asyncio.DebugOn
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Go(ctx, sleepLong) // a leftover is no mistake
		return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error { g.Go(nothing); return nil })
	})
	if err != nil || b.log.Text() != "" {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}
