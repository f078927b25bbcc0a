package sim_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

func TestRun_HoursTakeNoTime(t *testing.T) {
	began := time.Now()
	sim.Run(t, func(ctx context.Context, w *sim.World) error {
		for range 10_000 {
			if err := asyncio.Sleep(ctx, time.Hour); err != nil {
				return err
			}
		}
		if w.Now() != 10_000*time.Hour {
			return fmt.Errorf("it is %v", w.Now())
		}
		return nil
	})
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("10,000 hours took %v", took)
	}
}

func TestRun_FailsAsTheFunctionDoes(t *testing.T) {
	for name, c := range map[string]struct {
		f    sim.Func
		want string
	}{
		"error": {func(context.Context, *sim.World) error { return errors.New("broken") }, "sim: error: broken"},
		"panic": {func(context.Context, *sim.World) error { panic("broken") }, "sim: panic: asyncio: Task-1 panicked: broken"},
		"panic of a task": {func(ctx context.Context, _ *sim.World) error {
			asyncio.Go(ctx, func(context.Context) error { panic("broken") })
			return asyncio.Yield(ctx)
		}, "sim: panic: asyncio: Task-1-1 panicked: broken"},
		"lost error": {func(ctx context.Context, _ *sim.World) error {
			asyncio.Go(ctx, func(context.Context) error { return errors.New("broken") })
			return asyncio.Yield(ctx)
		}, "sim: report: Task exception was never retrieved: broken"},
		"deadlock": {func(ctx context.Context, _ *sim.World) error {
			_, err := asyncio.NewFuture[int](ctx).Await(ctx)
			return err
		}, "waits for <Future pending name='Future-1'>, at sim/clock_test.go:"},
		"deadlock that is ignored": {func(ctx context.Context, _ *sim.World) error {
			_, _ = asyncio.NewFuture[int](ctx).Await(ctx)
			return nil
		}, "sim: deadlock: "},
		"too many steps": {func(ctx context.Context, _ *sim.World) error {
			for {
				_ = asyncio.Yield(ctx)
			}
		}, "sim: steps: it takes more than 100000 steps"},
		"goroutine": {func(ctx context.Context, _ *sim.World) error {
			l, err := asyncio.RunningLoop(ctx)
			done := make(chan struct{})
			go func() { l.CallSoon(func() {}); close(done) }()
			<-done
			return err
		}, "sim: fence: asyncio: the loop was called from another goroutine"},
		"channel": {func(ctx context.Context, _ *sim.World) error {
			_, _, err := asyncio.Recv(ctx, make(chan int))
			return err
		}, "sim: fence: asyncio: Recv: a goroutine that waits for a channel"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			sim.Run(r, c.f)
			if !strings.Contains(r.text(), c.want) {
				t.Errorf("told %q, want %q", r.text(), c.want)
			}
		})
	}
}

// A recorder is a test that is told of failures and does not fail.
type recorder struct {
	testing.TB
	errors, logs []string
	name         string
}

func (r *recorder) Helper()           {}
func (r *recorder) Error(args ...any) { r.errors = append(r.errors, fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, a ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, a...))
}
func (r *recorder) Log(args ...any) { r.logs = append(r.logs, fmt.Sprint(args...)) }
func (r *recorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}
func (r *recorder) Failed() bool { return len(r.errors) > 0 }
func (r *recorder) text() string { return strings.Join(r.errors, "\n") }

func (r *recorder) Name() string {
	if r.name != "" {
		return r.name
	}
	return r.TB.Name()
}

func TestClock_SettleWaitsUntilEverybodyWaits(t *testing.T) {
	var seen []int
	sim.Run(t, func(ctx context.Context, w *sim.World) error {
		n := 0
		asyncio.Go(ctx, func(ctx context.Context) error {
			for range 3 {
				for range 5 {
					n++
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
				}
				if err := asyncio.Sleep(ctx, time.Minute); err != nil {
					return err
				}
			}
			return nil
		})
		for range 4 {
			if err := w.Settle(ctx); err != nil {
				return err
			}
			seen = append(seen, n)
			w.Clock().Advance(time.Minute)
		}
		return nil
	})
	if got := fmt.Sprint(seen); got != "[5 10 15 15]" {
		t.Errorf("seen %s, want [5 10 15 15]", got)
	}
}

func TestClock_SettleWithoutATimerIsNoDeadlock(t *testing.T) {
	sim.Run(t, func(ctx context.Context, w *sim.World) error {
		f := asyncio.NewFuture[int](ctx)
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := f.Await(ctx)
			return err
		})
		if err := w.Settle(ctx); err != nil {
			return err
		}
		if task.Done() || w.Now() != 0 {
			return fmt.Errorf("the task is done: %v; it is %v", task.Done(), w.Now())
		}
		f.SetResult(1)
		_, err := task.Await(ctx)
		return err
	})
}

func TestClock_SettleIsCancelled(t *testing.T) {
	sim.Run(t, func(ctx context.Context, w *sim.World) error {
		scope, cancel := asyncio.WithCancel(ctx)
		cancel()
		if err := w.Settle(scope); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("Settle: %w", err)
		}
		return asyncio.Sleep(ctx, time.Second) // nobody must be told of the settling that was cancelled
	})
}

func TestClock_AdvancePanicsBackwards(t *testing.T) {
	r := &recorder{TB: t}
	sim.Run(r, func(_ context.Context, w *sim.World) error {
		w.Clock().Advance(-1)
		return nil
	})
	if !strings.Contains(r.text(), "time does not go back") {
		t.Errorf("told %q", r.text())
	}
}
