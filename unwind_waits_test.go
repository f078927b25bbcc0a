package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// stuckWith runs main's task beyond the shutdown timeout.
func unwindBench() *bench {
	b := newBench()
	b.Options.ShutdownTimeout = time.Second
	return b
}

// A forced unwind leaves Wait; what it waited for must not end a wait of the
// deferred functions.
func TestWait_ForcedUnwindForgetsTheWait(t *testing.T) {
	noLeaks(t)
	b := unwindBench()
	var slept time.Duration
	_ = b.Run(t.Context(), func(ctx context.Context) error {
		free := context.WithoutCancel(ctx)
		l, _ := asyncio.RunningLoop(ctx)
		f := asyncio.NewFuture[int](ctx)
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() {
				before := l.Now()
				l.CallSoon(func() { f.SetResult(1) })
				_ = asyncio.Sleep(free, 500*time.Millisecond)
				slept = l.Now().Sub(before)
			}()
			_, _, _ = asyncio.Wait(free, asyncio.AllDone, f)
			return nil
		})
		return asyncio.Yield(ctx)
	})
	if slept != 500*time.Millisecond {
		t.Errorf("the deferred Sleep took %v", slept)
	}
}

func TestGenerator_ForcedUnwindForgetsTheConsumer(t *testing.T) {
	noLeaks(t)
	b := unwindBench()
	var slept time.Duration
	_ = b.Run(t.Context(), func(ctx context.Context) error {
		free := context.WithoutCancel(ctx)
		l, _ := asyncio.RunningLoop(ctx)
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			return asyncio.Sleep(context.WithoutCancel(ctx), time.Hour)
		})
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() {
				before := l.Now()
				_ = asyncio.Sleep(free, 500*time.Millisecond)
				slept = l.Now().Sub(before)
			}()
			_, _, _ = g.Next(free)
			return nil
		})
		return asyncio.Yield(ctx)
	})
	if slept != 500*time.Millisecond {
		t.Errorf("the deferred Sleep took %v", slept)
	}
}

// A forced unwind out of Cond.Wait runs the deferred Release, which is no error
// of the program.
func TestCond_ForcedUnwindIsNoPanic(t *testing.T) {
	noLeaks(t)
	b := unwindBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		var c asyncio.Cond
		asyncio.Go(ctx, func(ctx context.Context) error {
			free := context.WithoutCancel(ctx)
			return c.Do(free, c.Wait)
		})
		return asyncio.Yield(ctx)
	})
	if b.log.Count("panicked") != 0 {
		t.Errorf("Run: %v; logged:\n%s", err, b.log.Text())
	}
}

func TestCond_LockThatIsNeverReleasedIsNoPanicOfTheWaiters(t *testing.T) {
	noLeaks(t)
	b := unwindBench()
	var waitErr error
	err := b.Run(t.Context(), func(ctx context.Context) error {
		var c asyncio.Cond
		w := asyncio.Go(ctx, func(ctx context.Context) error {
			return c.Do(ctx, func(ctx context.Context) error { waitErr = c.Wait(ctx); return waitErr })
		})
		asyncio.Go(ctx, func(ctx context.Context) error {
			_ = c.Acquire(ctx)
			c.NotifyAll()
			return nil
		})
		_, err := w.Await(ctx)
		return err
	})
	if b.log.Count("panicked") != 0 {
		t.Errorf("Run: %v; Wait: %v; logged:\n%s", err, waitErr, b.log.Text())
	}
}

// A forced unwind has taken the consumer out of Next; the body has nobody who
// waits for it, and says so.
func TestCallGraph_OfABodyWhoseConsumerIsUnwound(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Options.ShutdownTimeout = time.Second
	awaiting, got := -1, "not asked"
	_ = b.Run(t.Context(), func(ctx context.Context) error {
		free := context.WithoutCancel(ctx)
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			defer func() {
				got = panicOf(func() { awaiting = len(asyncio.CurrentTask(ctx).CallGraph().AwaitedBy) })
			}()
			return asyncio.Sleep(free, time.Hour)
		})
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() { _ = asyncio.Sleep(free, 500*time.Millisecond) }()
			_, _, _ = g.Next(free)
			return nil
		})
		return asyncio.Yield(ctx)
	})
	if got != "no panic" || awaiting != 0 {
		t.Errorf("CallGraph: %.200s, awaited by %d, want 0", got, awaiting)
	}
}
