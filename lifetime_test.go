package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/asyncio-go/asyncio"
)

func TestLifetime_FinishedTasksAreNotHeld(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tasks []weak.Pointer[asyncio.Task[int]]
		for range 100 {
			task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) { return 0, asyncio.Sleep(ctx, time.Second) })
			tasks = append(tasks, weak.Make(task))
		}
		if err := asyncio.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		held := len(tasks)
		for range 20 {
			runtime.GC()
			held = 0
			for _, w := range tasks {
				if w.Value() != nil {
					held++
				}
			}
		}
		if held > 1 { // one may stand on a stack
			t.Errorf("%d of %d finished tasks are still held", held, len(tasks))
		}
		return nil
	})
}

func TestLifetime_WhatASubmittedTaskStartedLivesOn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		ended := asyncio.NewFuture[error](ctx)
		s := asyncio.Submit(l, func(ctx context.Context) (int, error) {
			asyncio.Go(ctx, func(ctx context.Context) error {
				ended.SetResult(asyncio.Sleep(ctx, time.Second))
				return nil
			})
			return 1, nil
		})
		if _, _, err := asyncio.Recv(ctx, s.Done()); err != nil {
			return err
		}
		err, awaitErr := ended.Await(ctx)
		return errors.Join(err, awaitErr)
	})
}

// A main task whose run was stopped is a task like any other.
func TestLifetime_StoppedMainIsReportedLikeOthers(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	l, err := b.Loop()
	if err != nil {
		t.Fatal(err)
	}
	_, err = asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		l.Stop()
		_ = asyncio.Yield(ctx)
		explode()
		return 0, nil
	})
	if !errors.Is(err, asyncio.ErrLoopStopped) {
		t.Errorf("the first run: %v", err)
	}
	if _, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		return 0, asyncio.Yield(ctx)
	}); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil || b.log.Count("ERROR asyncio: Task panicked", "kaboom") != 1 {
		t.Errorf("Close: %v; logged:\n%s", err, b.log.Text())
	}
}

func TestLifetime_GeneratorErrorThatNobodyAsksForIsReported(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			_ = asyncio.Sleep(ctx, time.Minute)
			return errBoom
		})
		err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			_, _, err := g.Next(ctx)
			return err
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("Next: %v", err)
		}
		return asyncio.Sleep(ctx, time.Hour)
	})
	if err != nil || b.log.Count("ERROR asyncio: Generator exception was never retrieved", "exception=boom") != 1 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}

// sliceError is an error that cannot be compared, and wrapper one that only
// looks as if it could.
type (
	sliceError []int
	wrapper    struct{ error }
)

func (sliceError) Error() string { return "slice" }

func TestLifetime_CausesNeedNoEquality(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, cause := range []error{sliceError{1}, wrapper{sliceError{2}}} {
			above, cancel := asyncio.WithCancelCause(ctx)
			std, stop := context.WithCancel(above)
			defer stop()
			task := asyncio.Go(std, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
			_ = asyncio.Yield(ctx)
			cancel(cause)
			if _, err := task.Await(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled with %T: %v", cause, err)
			}
		}
		return nil
	})
}

// A chain of tasks of which each starts the next keeps nothing of the earlier.
func TestScope_ChainsOfTasksDoNotGrow(t *testing.T) {
	const few, many = 5_000, 50_000
	for name, use := range map[string]func(context.Context){
		"plain":      func(context.Context) {},
		"Done asked": func(ctx context.Context) { ctx.Done() },
		"std":        func(ctx context.Context) { _, stop := context.WithCancel(ctx); stop() },
		"scope":      func(ctx context.Context) { _, stop := asyncio.WithCancel(ctx); stop() },
		"timeout":    func(ctx context.Context) { _ = asyncio.Timeout(ctx, time.Hour, asyncio.Yield) },
	} {
		run(t, func(ctx context.Context) error {
			generation := 0
			var link func(ctx context.Context) error
			link = func(ctx context.Context) error {
				if generation++; generation < many {
					use(ctx)
					asyncio.Go(ctx, link)
				}
				return nil
			}
			asyncio.Go(ctx, link)
			heap := func() uint64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.GC() // what cleanups let go
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			for generation < few {
				turns(t, ctx, 1)
			}
			early := heap()
			for generation < many {
				turns(t, ctx, 1)
			}
			late := heap()
			for tries := 0; late > early+4<<20 && tries < 50; tries++ { // cleanups may be behind
				late = heap()
			}
			if late > early+4<<20 { // 90 bytes a generation
				t.Errorf("%s: the heap grew from %d to %d bytes in %d generations", name, early, late, many-few)
			}
			return nil
		})
	}
}
