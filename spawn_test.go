package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

var eager = asyncio.TaskOptions{Eager: true}

func TestSpawn_BeginsInTheNextTurn(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		asyncio.Go(ctx, func(context.Context) error {
			s.add("first")
			asyncio.Go(ctx, func(context.Context) error { s.add("its child"); return nil })
			return nil
		})
		asyncio.Go(ctx, func(context.Context) error { s.add("second"); return nil })
		s.add("main")
		_ = asyncio.Yield(ctx)
		s.add("main")
		return asyncio.Yield(ctx)
	})
	s.want(t, "main", "first", "second", "main", "its child")
}

func TestSpawn_CancelledBeforeTheFirstStepNeverRuns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		scope, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		never := func(context.Context) (int, error) { t.Error("it ran"); return 0, nil }
		inDeadScope := asyncio.Spawn(scope, never)
		inDeadScopeEagerly := asyncio.SpawnWith(scope, eager, never)
		cancelled := asyncio.Spawn(ctx, never)
		cancelled.Cancel(errBoom)
		for _, task := range []*asyncio.Task[int]{inDeadScope, inDeadScopeEagerly, cancelled} {
			_, err := task.Await(ctx)
			wantErr(t, err, "asyncio: cancelled: boom")
			if task.State() != asyncio.Cancelled {
				t.Errorf("it is %v", task.State())
			}
		}
		return nil
	})
}

func TestSpawn_TurnCounts(t *testing.T) {
	done := asyncio.TaskOptions{Name: "done", Eager: true}
	for name, c := range map[string]struct {
		want int
		do   func(ctx context.Context) error
	}{
		"Await of a done task": {0, func(ctx context.Context) error {
			_, err := asyncio.SpawnWith(ctx, done, taskAnswer).Await(ctx)
			return err
		}},
		"Yield":    {1, asyncio.Yield},
		"Sleep(0)": {1, func(ctx context.Context) error { return asyncio.Sleep(ctx, 0) }},
		"50 calls and a Yield": {1, func(ctx context.Context) error {
			var call func(n int) error
			call = func(n int) error {
				if n == 0 {
					return asyncio.Yield(ctx)
				}
				return call(n - 1)
			}
			return call(50)
		}},
		"Spawn and Await": {2, func(ctx context.Context) error {
			_, err := asyncio.Spawn(ctx, taskAnswer).Await(ctx)
			return err
		}},
		"Await of ten tasks": {2, func(ctx context.Context) error {
			var tasks []*asyncio.Task[int]
			for range 10 {
				tasks = append(tasks, asyncio.Spawn(ctx, taskAnswer))
			}
			for _, task := range tasks {
				if _, err := task.Await(ctx); err != nil {
					return err
				}
			}
			return nil
		}},
		"Await of a future that a callback sets": {2, func(ctx context.Context) error {
			l, _ := asyncio.RunningLoop(ctx)
			f := asyncio.NewFuture[int](ctx)
			l.CallSoon(func() { f.SetResult(1) })
			_, err := f.Await(ctx)
			return err
		}},
		"WaitFor of what does not wait": {0, func(ctx context.Context) error {
			_, err := asyncio.WaitFor(ctx, time.Second, taskAnswer)
			return err
		}},
		"Shield of what does not wait": {0, func(ctx context.Context) error {
			_, err := asyncio.Shield(ctx, taskAnswer)
			return err
		}},
		"ten items of a generator": {0, func(ctx context.Context) error {
			for _, err := range countTo(ctx, 10).All(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		"await of the cancelled": {1, func(ctx context.Context) error {
			ctx, cancel := asyncio.WithCancel(ctx)
			cancel()
			if err := asyncio.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
				return fmt.Errorf("Sleep in a cancelled scope: %v", err)
			}
			return nil
		}},
	} {
		run(t, func(ctx context.Context) error {
			turns := countTurns(ctx)
			before := turns()
			err := c.do(ctx)
			if got := turns() - before; got != c.want {
				t.Errorf("%s took %d turns, want %d", name, got, c.want)
			}
			return err
		})
	}
}

func TestSpawn_ChainOfAwaitsUnwindsATurnALink(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		turns := countTurns(ctx)
		innermost := asyncio.Spawn(ctx, taskNap)
		last, before := innermost, 0
		for i := range 3 {
			awaited := last
			last = asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
				_, err := awaited.Await(ctx)
				s.add("%d at +%d", i, turns()-before)
				return 0, err
			})
		}
		_ = asyncio.Yield(ctx)
		before = turns()
		innermost.Cancel(errBoom)
		_, err := last.Await(ctx)
		s.add("main at +%d", turns()-before)
		wantErr(t, err, "asyncio: cancelled: boom")
		return nil
	})
	s.want(t, "0 at +2", "1 at +3", "2 at +4", "main at +5")
}

func TestSpawn_YieldIsFair(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		for i := range 3 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				for range 3 {
					s.add("%d", i)
					_ = asyncio.Yield(ctx)
				}
				return nil
			})
		}
		return asyncio.Sleep(ctx, time.Second)
	})
	if got := strings.Join(s.events, ""); got != "012012012" {
		t.Errorf("tasks ran in the order %s", got)
	}
}

func TestEager_ThatDoesNotWaitIsDoneOnReturn(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		main := asyncio.CurrentTask(ctx)
		task := asyncio.SpawnWith(ctx, eager, func(ctx context.Context) (int, error) {
			if asyncio.CurrentTask(ctx) == main || main.State() != asyncio.Running {
				t.Errorf("in the eager task, %v runs and main is %v", asyncio.CurrentTask(ctx), main.State())
			}
			s.add("%s runs", asyncio.CurrentTask(ctx).Name())
			return 42, nil
		})
		s.add("main goes on")
		if asyncio.CurrentTask(ctx) != main {
			t.Errorf("after it, %v runs", asyncio.CurrentTask(ctx))
		}
		if v, err := task.Result(); v != 42 || err != nil || task.State() != asyncio.Succeeded {
			t.Errorf("Result = %v, %v in state %v", v, err, task.State())
		}
		return nil
	})
	s.want(t, "Task-1-1 runs", "main goes on")
}

func TestEager_ThatWaitsGoesOnLater(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		outer := asyncio.SpawnWith(ctx, eager, func(ctx context.Context) (int, error) {
			s.add("outer begins")
			inner := asyncio.SpawnWith(ctx, eager, func(ctx context.Context) (int, error) {
				s.add("inner begins")
				err := asyncio.Sleep(ctx, time.Second)
				s.add("inner ends")
				return 1, err
			})
			s.add("inner is %v", inner.State())
			v, err := inner.Await(ctx)
			s.add("outer ends")
			return v + 1, err
		})
		s.add("outer is %v", outer.State())
		v, err := outer.Await(ctx)
		s.add("main got %d", v)
		return err
	})
	s.want(t, "outer begins", "inner begins", "inner is waiting", "outer is waiting", "inner ends", "outer ends", "main got 2")
}

func TestEager_DoesNotRunTheTasksThatAreReady(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		asyncio.Go(ctx, func(context.Context) error { s.add("ready before"); return nil })
		asyncio.Go(ctx, func(ctx context.Context) error {
			asyncio.SpawnWith(ctx, eager, taskAnswer)
			s.add("eager done")
			return nil
		})
		asyncio.Go(ctx, func(context.Context) error { s.add("ready after"); return nil })
		asyncio.SpawnWith(ctx, eager, taskAnswer)
		s.add("main")
		return asyncio.Yield(ctx)
	})
	s.want(t, "main", "ready before", "eager done", "ready after")
}

func TestEager_PanicStaysInTheTask(t *testing.T) {
	noLeaks(t)
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		task := asyncio.SpawnWith(ctx, eager, taskPanic)
		if task.State() != asyncio.Panicked || b.log.Count("ERROR asyncio: Task panicked", "kaboom") != 1 {
			t.Errorf("the task is %v, logged:\n%s", task.State(), b.log.Text())
		}
		return asyncio.Yield(ctx)
	})
	if err != nil || len(b.log.Lines()) != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestEager_CancelsItself(t *testing.T) {
	run(t, func(ctx context.Context) error {
		obeys := asyncio.SpawnWith(ctx, eager, func(ctx context.Context) (int, error) {
			asyncio.CurrentTask(ctx).Cancel(errBoom)
			return 0, asyncio.Sleep(ctx, time.Hour)
		})
		returns := asyncio.SpawnWith(ctx, eager, func(ctx context.Context) (int, error) {
			asyncio.CurrentTask(ctx).Cancel(errBoom)
			return 7, nil
		})
		_, err := obeys.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: boom")
		if obeys.State() != asyncio.Cancelled {
			t.Errorf("the one that awaits is %v", obeys.State())
		}
		if v, err := returns.Result(); v != 7 || err != nil {
			t.Errorf("the one that returns has %v, %v, want its result", v, err)
		}
		return nil
	})
}

func TestEager_FromACallback(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		var parked *asyncio.Task[int]
		l.CallSoon(func() {
			task := asyncio.SpawnWith(ctx, eager, taskAnswer)
			parked = asyncio.SpawnWith(ctx, eager, taskNap)
			s.add("%v, %v, current %v", task.State(), parked.State(), asyncio.CurrentTask(ctx))
		})
		l.CallSoon(func() { s.add("next callback") })
		_ = asyncio.Yield(ctx)
		s.add("main")
		_, awaitErr := parked.Await(ctx)
		return errors.Join(err, awaitErr)
	})
	s.want(t, "succeeded, waiting, current <nil>", "next callback", "main")
}

func TestCurrentTask_IsTheOneThatRuns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		mainCtx := ctx
		var inside asyncio.AnyTask
		task := asyncio.Go(ctx, func(context.Context) error {
			inside = asyncio.CurrentTask(mainCtx) // not whose ctx it is, but who runs
			return nil
		})
		_, err := task.Await(ctx)
		if inside != asyncio.AnyTask(task) {
			t.Errorf("current task is %v, want %v", inside, task)
		}
		l, loopErr := asyncio.RunningLoop(ctx)
		called := make(chan asyncio.AnyTask, 2)
		l.CallSoon(func() { called <- asyncio.CurrentTask(ctx) })
		go func() { called <- asyncio.CurrentTask(ctx) }()
		for range 2 {
			got, _, recvErr := asyncio.Recv(ctx, called)
			if got != nil || recvErr != nil {
				t.Errorf("in a callback or on another goroutine: %v, %v, want nil", got, recvErr)
			}
		}
		return errors.Join(err, loopErr)
	})
}

func TestRunningLoop_NeedsOne(t *testing.T) {
	_, err := asyncio.RunningLoop(t.Context())
	if !errors.Is(err, asyncio.ErrNoLoop) {
		t.Errorf("without a loop: %v", err)
	}
	text := panicOf(func() { asyncio.Spawn(t.Context(), taskAnswer) })
	want := "asyncio: Spawn: no running event loop in this context; pass the ctx that your coroutine was given, " +
		"or enter a loop with asyncio.Run(ctx, main)"
	if text != want {
		t.Errorf("Spawn panicked with %s\nwant                %s", text, want)
	}
	run(t, func(ctx context.Context) error {
		type key struct{}
		a, errA := asyncio.RunningLoop(ctx)
		b, errB := asyncio.RunningLoop(context.WithValue(context.WithoutCancel(ctx), key{}, 1))
		if a == nil || a != b {
			t.Errorf("loops are %v and %v", a, b)
		}
		text := make(chan string)
		go func() { text <- panicOf(func() { asyncio.Spawn(ctx, taskAnswer) }) }()
		got, _, err := asyncio.Recv(ctx, text)
		if !strings.HasPrefix(got, "asyncio: Spawn: called from a goroutine that does not run loop ") ||
			!strings.HasSuffix(got, "; from other goroutines use Loop.CallSoon or Submit") {
			t.Errorf("Spawn on another goroutine panicked with %s", got)
		}
		return errors.Join(errA, errB, err)
	})
}

func TestTasks_AreThoseThatAreNotDoneInOrderOfCreation(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		names := func() (names []string) {
			for task := range l.Tasks().All() {
				names = append(names, task.Name())
			}
			return names
		}
		named := func(name string, f func(context.Context) (int, error)) *asyncio.Task[int] {
			return asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name, Eager: name == "eager"}, f)
		}
		b := named("b", taskNap)
		named("a", taskAnswer)
		named("eager", taskNap)
		named("c", taskNap)
		if got, want := names(), []string{"Task-1", "b", "a", "eager", "c"}; !slices.Equal(got, want) {
			t.Errorf("tasks are %v, want %v", got, want)
		}
		b.Cancel(nil)
		_, _ = b.Await(ctx)
		if got, want := names(), []string{"Task-1", "eager", "c"}; !slices.Equal(got, want) {
			t.Errorf("tasks are %v, want %v", got, want)
		}
		return err
	})
}
