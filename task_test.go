package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Coroutines with names that stand in reports.

func taskAnswer(context.Context) (int, error) { return 42, nil }
func taskFail(context.Context) (int, error)   { return 0, errBoom }
func taskPanic(context.Context) (int, error)  { explode(); return 0, nil }
func taskNap(ctx context.Context) (int, error) {
	return 0, asyncio.Sleep(ctx, time.Hour)
}

// countTurns returns a function that tells how many turns the loop has begun:
// a callback is the first in each.
func countTurns(ctx context.Context) func() int {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		panic(err)
	}
	n := 0
	var tick func()
	tick = func() {
		n++
		l.CallSoon(tick)
	}
	l.CallSoon(tick)
	_ = asyncio.Yield(ctx)
	return func() int { return n }
}

func TestTask_NamesFollowThePathOfSpawns(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		s.add("%s", asyncio.CurrentTask(ctx).Name())
		asyncio.Spawn(ctx, taskAnswer)
		asyncio.Spawn(ctx, taskAnswer)
		third := asyncio.Go(ctx, func(ctx context.Context) error {
			s.add("%s", asyncio.Spawn(ctx, taskAnswer).Name())
			server := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "server"}, func(ctx context.Context) (string, error) {
				return asyncio.Spawn(ctx, taskAnswer).Name(), nil
			})
			s.add("%s", server.Name())
			child, err := server.Await(ctx)
			s.add("%s", child)
			return err
		})
		s.add("%s", third.Name())
		l, err := asyncio.RunningLoop(ctx)
		l.CallSoon(func() { s.add("%s", asyncio.Spawn(ctx, taskAnswer).Name()) })
		_, awaitErr := third.Await(ctx)
		return errors.Join(err, awaitErr)
	})
	s.want(t, "Task-1", "Task-1-3", "Task-1-3-1", "server", "Task-2", "server-1")
}

func TestTask_NamesDoNotGrowForEver(t *testing.T) {
	const depth = 200
	names := map[string]bool{}
	run(t, func(ctx context.Context) error {
		var descend func(ctx context.Context, n int) error
		descend = func(ctx context.Context, n int) error {
			self := asyncio.CurrentTask(ctx)
			name := self.Name()
			if len(name) > 64 {
				t.Errorf("a name of %d bytes: %s", len(name), name)
			}
			if strings.HasPrefix(name, "Task~") && strings.Count(name, "-") == 0 && name != fmt.Sprintf("Task~%x", self.ID()) {
				t.Errorf("a short name is %s, want Task~ and the id %x", name, self.ID())
			}
			names[name] = true
			if n == 0 {
				return nil
			}
			_, err := asyncio.Go(ctx, func(ctx context.Context) error { return descend(ctx, n-1) }).Await(ctx)
			return err
		}
		return descend(ctx, depth)
	})
	if len(names) != depth+1 {
		t.Errorf("%d tasks have %d names", depth+1, len(names))
	}
}

func TestTask_IDsAreThoseOfEveryRunAndSchedule(t *testing.T) {
	ids := func(c asyncio.Chooser) map[string]uint64 {
		all := map[string]uint64{}
		b := newBench()
		b.Options.Chooser = c
		err := b.Run(t.Context(), func(ctx context.Context) error {
			var grow func(ctx context.Context, depth int) error
			grow = func(ctx context.Context, depth int) error {
				self := asyncio.CurrentTask(ctx)
				all[self.Name()] = self.ID()
				for range depth {
					asyncio.Go(ctx, func(ctx context.Context) error { return grow(ctx, depth-1) })
					_ = asyncio.Yield(ctx)
				}
				return nil
			}
			return errors.Join(grow(ctx, 4), asyncio.Sleep(ctx, time.Second))
		})
		if err != nil {
			t.Error(err)
		}
		return all
	}
	want := ids(nil)
	if len(want) != 65 { // 1 + 4 + 4·3 + 4·3·2 + 4·3·2·1
		t.Errorf("%d tasks, want 65", len(want))
	}
	distinct := map[uint64]bool{}
	for _, id := range want {
		distinct[id] = true
	}
	if len(distinct) != len(want) {
		t.Errorf("%d tasks have %d ids", len(want), len(distinct))
	}
	for name, c := range map[string]asyncio.Chooser{"same": nil, "last first": lastFirst, "seeded": seededChooser(1)} {
		if got := ids(c); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: ids are %v, want %v", name, got, want)
		}
	}
}

func TestTask_StatesAndStrings(t *testing.T) {
	b := newBench()
	b.Debug = asyncio.DebugOff // in debug mode a task says where it was created
	err := b.Run(t.Context(), func(ctx context.Context) error {
		check := func(task asyncio.AnyTask, state, text string) {
			t.Helper()
			if got := task.State().String(); got != state {
				t.Errorf("state of %s is %s, want %s", task.Name(), got, state)
			}
			if got := task.String(); got != text {
				t.Errorf("String() = %s\nwant       %s", got, text)
			}
		}
		start := func(name string, f func(context.Context) (int, error)) *asyncio.Task[int] {
			return asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name}, f)
		}
		nap, answer, fails, panics := start("nap", taskNap), start("answer", taskAnswer), start("fail", taskFail), start("panic", taskPanic)
		check(nap, "ready", "<Task pending name='nap' coro=asyncio_test.taskNap()>")
		if _, err := nap.Result(); !errors.Is(err, asyncio.ErrInvalidState) {
			t.Errorf("Result before the end: %v", err)
		}
		if got := asyncio.CurrentTask(ctx).State(); got != asyncio.Running {
			t.Errorf("the task that runs is %v", got)
		}
		_ = asyncio.Yield(ctx)
		check(nap, "waiting", "<Task pending name='nap' coro=asyncio_test.taskNap() wait_for=Sleep>")
		check(answer, "succeeded", "<Task finished name='answer' coro=asyncio_test.taskAnswer() result=42>")
		check(fails, "failed", `<Task finished name='fail' coro=asyncio_test.taskFail() exception="boom">`)
		check(panics, "panicked", `<Task finished name='panic' coro=asyncio_test.taskPanic() exception="asyncio: panic panicked: kaboom">`)
		if got := nap.WaitingFor() + "|" + answer.WaitingFor(); got != "Sleep|" {
			t.Errorf("WaitingFor: %q", got)
		}
		if !nap.Cancel(errBoom) || nap.Cancel(errBoom) || answer.Cancel(nil) {
			t.Error("Cancel must be true once, and false for a task that is done")
		}
		check(nap, "ready", "<Task cancelling name='nap' coro=asyncio_test.taskNap()>")
		_, err := nap.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: boom")
		check(nap, "cancelled", "<Task cancelled name='nap' coro=asyncio_test.taskNap()>")
		if _, err := fails.Await(ctx); err != errBoom {
			t.Errorf("Await = %v, want boom", err)
		}
		return nil
	})
	if err != nil || len(b.log.Lines()) != 1 { // the panic
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestTask_DoneCallbacks(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, taskAnswer)
		say := func(name string) func(*asyncio.Task[int]) {
			return func(got *asyncio.Task[int]) {
				v, err := got.Result()
				s.add("%s %d %v", name, v, err)
			}
		}
		task.AddDoneCallback(say("a"))
		b := task.AddDoneCallback(say("b"))
		task.AddDoneCallback(say("c"))
		task.AddDoneCallback(func(*asyncio.Task[int]) { task.AddDoneCallback(say("e")) })
		task.AddDoneCallback(say("d"))
		if !b.Cancel() {
			t.Error("a callback that has not run cannot be cancelled")
		}
		v, err := task.Await(ctx) // the callbacks were ready before the waiter
		s.add("main %d", v)
		task.AddDoneCallback(say("late"))
		s.add("added")
		return errors.Join(err, asyncio.Yield(ctx))
	})
	s.want(t, "a 42 <nil>", "c 42 <nil>", "d 42 <nil>", "main 42", "added", "e 42 <nil>", "late 42 <nil>")
}

func TestTask_AwaitedByManyAndManyTimes(t *testing.T) {
	s, ran := &story{}, 0
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			ran++
			return 7, asyncio.Sleep(ctx, time.Minute)
		})
		for i := range 3 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				v, err := task.Await(ctx)
				s.add("%d got %d", i, v)
				return err
			})
		}
		_ = asyncio.Yield(ctx)
		a, err1 := task.Await(ctx)
		b, err2 := task.Await(ctx)
		c, err3 := task.Result()
		s.add("main got %d %d %d", a, b, c)
		return errors.Join(err1, err2, err3)
	})
	s.want(t, "0 got 7", "1 got 7", "2 got 7", "main got 7 7 7")
	if ran != 1 {
		t.Errorf("ran %d times", ran)
	}
}

func TestTask_CancelledWaiterLeavesTheTaskAlone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, taskNap)
		err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			_, err := task.Await(ctx)
			return err
		})
		if !errors.Is(err, asyncio.ErrTimeout) || task.State() != asyncio.Waiting {
			t.Errorf("waiter got %v, task is %v", err, task.State())
		}
		_, err = task.Await(ctx)
		return err
	})
}

func TestTask_PanicIsReportedOnceAndAtOnce(t *testing.T) {
	noLeaks(t)
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		sibling := asyncio.Spawn(ctx, taskNap)
		task := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "bomb"}, taskPanic)
		_ = asyncio.Yield(ctx)
		if b.log.Count("ERROR asyncio: Task panicked", "name='bomb'", "kaboom", "task_test.go:") != 1 {
			t.Errorf("before anybody awaits, logged:\n%s", b.log.Text())
		}
		for range 2 {
			_, err := task.Await(ctx)
			var pe *asyncio.PanicError
			if !errors.As(err, &pe) || pe.Value != "kaboom" || !strings.Contains(string(pe.Stack), "asyncio_test.explode") {
				t.Errorf("Await = %v, want the panic with its stack", err)
			} else if pe.Unwrap() != nil {
				t.Errorf("Unwrap() of a string is %v", pe.Unwrap())
			}
		}
		_, err := asyncio.Go(ctx, func(context.Context) error { panic(errBoom) }).Await(ctx)
		if !errors.Is(err, errBoom) {
			t.Errorf("%v does not match the error that was given to panic", err)
		}
		_, err = sibling.Await(ctx)
		return err
	})
	if err != nil || len(b.log.Lines()) != 2 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestTask_GoexitLeavesTheLoopUsable(t *testing.T) {
	noLeaks(t)
	l := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}})
	var gone, sibling *asyncio.Task[int]
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = asyncio.RunUntilComplete(context.Background(), l, func(ctx context.Context) (int, error) {
			sibling = asyncio.Spawn(context.WithoutCancel(ctx), taskNap)
			gone = asyncio.Spawn(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			return gone.Await(ctx)
		})
		t.Error("a run returned although a task called Goexit")
	}()
	<-ended
	if _, err := gone.Result(); gone.State() != asyncio.Cancelled || !strings.Contains(err.Error(), "the task called runtime.Goexit") {
		t.Errorf("the task is %v with %v", gone.State(), err)
	}
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) { return sibling.Await(ctx) })
	if err != nil || sibling.State() != asyncio.Succeeded {
		t.Errorf("the sibling is %v with %v", sibling.State(), err)
	}
	// The Goexit has ended its own run, and must not end who closes the loop.
	closed := make(chan error, 1)
	go func() {
		defer close(closed)
		closed <- l.Close()
	}()
	if err, returned := <-closed; !returned || err != nil {
		t.Errorf("Close returned: %v, %v", returned, err)
	}
}

func TestTask_LoopHoldsTasks(t *testing.T) {
	const n = 100
	done := 0
	run(t, func(ctx context.Context) error {
		for range n {
			asyncio.Go(ctx, func(ctx context.Context) error {
				f := asyncio.NewFuture[int](ctx) // nothing but a callback of the loop knows it
				l, err := asyncio.RunningLoop(ctx)
				l.CallLater(time.Minute, func() { f.SetResult(1) })
				_, awaitErr := f.Await(ctx)
				done++
				return errors.Join(err, awaitErr)
			})
		}
		for range 5 {
			runtime.GC()
			_ = asyncio.Yield(ctx)
		}
		return asyncio.Sleep(ctx, time.Hour)
	})
	if done != n {
		t.Errorf("%d of %d tasks ran to their end", done, n)
	}
}

func TestTask_IsNamedByTheWatchdogWhileItBlocks(t *testing.T) {
	b := newBench()
	b.Options.StallThreshold = time.Millisecond
	err := b.Run(t.Context(), func(context.Context) error {
		for deadline := time.Now().Add(10 * time.Second); b.log.Text() == "" && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond) // this is what it is about: a step that blocks
		}
		return nil
	})
	if err != nil || b.log.Count("WARN asyncio: Executing <Task name='Task-1' coro=asyncio_test.TestTask_IsNamedByTheWatchdogWhileItBlocks.func1()> has been blocking") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}
