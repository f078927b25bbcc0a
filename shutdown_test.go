package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// An immortal task is one that no cancellation ends. Each says when its
// deferred function has run.
var immortals = map[string]func(ctx context.Context, cleaned func()) error{
	"ignores its cancellation": func(ctx context.Context, cleaned func()) error {
		defer cleaned()
		for {
			_ = asyncio.Sleep(context.WithoutCancel(ctx), time.Hour)
		}
	},
	"awaits for ever": func(ctx context.Context, cleaned func()) error {
		defer cleaned()
		f := asyncio.NewFuture[int](ctx)
		_, err := f.Await(context.WithoutCancel(ctx))
		return err
	},
	"spins on failing awaits": func(ctx context.Context, cleaned func()) error {
		defer cleaned()
		for {
			_ = asyncio.Sleep(ctx, time.Second)
		}
	},
	"recovers everything": func(ctx context.Context, cleaned func()) error {
		defer cleaned()
		for {
			func() {
				defer func() { _ = recover() }()
				_ = asyncio.Sleep(context.WithoutCancel(ctx), time.Second)
				panic("and on")
			}()
		}
	},
	"shields itself": func(ctx context.Context, cleaned func()) error {
		defer cleaned()
		_, err := asyncio.Shield(ctx, func(ctx context.Context) (int, error) {
			return 0, asyncio.Sleep(ctx, 1000*time.Hour)
		})
		return err
	},
	"awaits in its deferred functions": func(ctx context.Context, cleaned func()) error {
		defer cleaned()
		defer func() { _ = asyncio.Sleep(context.WithoutCancel(ctx), time.Hour) }()
		defer func() { _ = asyncio.Sleep(context.WithoutCancel(ctx), time.Hour) }()
		return asyncio.Sleep(ctx, time.Hour)
	},
	"waits for ever in a deferred loop": func(ctx context.Context, cleaned func()) error {
		defer cleaned()
		defer func() {
			for {
				_ = asyncio.Sleep(context.WithoutCancel(ctx), time.Minute)
			}
		}()
		return asyncio.Sleep(ctx, time.Hour)
	},
}

func TestShutdown_VirtualTimeStandsStillWhileATaskSpins(t *testing.T) {
	noLeaks(t)
	b, cleaned := newBench(), 0
	b.Options.ShutdownTimeout = 5 * time.Millisecond
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() { cleaned++ }()
			for {
				_ = asyncio.Yield(context.WithoutCancel(ctx))
			}
		})
		return asyncio.Yield(ctx)
	})
	var se *asyncio.ShutdownError
	if !errors.As(err, &se) || len(se.Left) != 1 || cleaned != 1 {
		t.Errorf("Run returned %v, cleaned %d", err, cleaned)
	}
}

func TestShutdown_UnwindsTheImmortal(t *testing.T) {
	for name, immortal := range immortals {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			b, cleaned := newBench(), false
			b.Options.ShutdownTimeout = 50 * time.Millisecond // real for the one that spins
			err := b.Run(t.Context(), func(ctx context.Context) error {
				asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "immortal"}, asyncio.Void(func(ctx context.Context) error {
					return immortal(ctx, func() { cleaned = true })
				}))
				return errors.Join(asyncio.Yield(ctx), errBoom)
			})
			if !cleaned {
				t.Error("its deferred function did not run")
			}
			var se *asyncio.ShutdownError
			if !errors.As(err, &se) || len(se.Left) != 1 {
				t.Fatalf("Run returned %v, want a ShutdownError with one line", err)
			}
			if !errors.Is(err, errBoom) {
				t.Errorf("Run returned %v, without main's own error", err)
			}
			if line := se.Left[0]; !strings.HasPrefix(line, "<Task ") || !strings.Contains(line, "name='immortal'") ||
				!strings.Contains(line, " at asyncio_test.") || !strings.Contains(line, "shutdown_test.go:") {
				t.Errorf("left behind: %q, want the task and where it waits", line)
			}
			if b.log.Count("ERROR asyncio: did not end in the shutdown: <Task", "immortal") != 1 {
				t.Errorf("logged:\n%s", b.log.Text())
			}
		})
	}
}

func TestShutdown_ManyImmortals(t *testing.T) {
	noLeaks(t)
	const n = 1000
	b, cleaned := newBench(), 0
	err := b.Run(t.Context(), func(ctx context.Context) error {
		for range n {
			asyncio.Go(ctx, func(ctx context.Context) error {
				defer func() { cleaned++ }()
				defer func() { _ = asyncio.Sleep(context.WithoutCancel(ctx), time.Millisecond) }()
				return asyncio.Sleep(context.WithoutCancel(ctx), 1000*time.Hour)
			})
		}
		return asyncio.Yield(ctx)
	})
	var se *asyncio.ShutdownError
	if !errors.As(err, &se) || len(se.Left) != n || cleaned != n {
		t.Errorf("%d cleaned, error %.200v, want %d of each", cleaned, err, n)
	}
}

func TestShutdown_TimeoutIsSettable(t *testing.T) {
	noLeaks(t)
	for timeout, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute} {
		b := newBench()
		b.Options.ShutdownTimeout = timeout
		var asked, unwound time.Time
		_ = b.Run(t.Context(), func(ctx context.Context) error {
			asyncio.Go(ctx, func(ctx context.Context) error {
				defer func() { unwound = b.clock.Now() }()
				return asyncio.Sleep(context.WithoutCancel(ctx), 1000*time.Hour)
			})
			asked = b.clock.Now()
			return asyncio.Yield(ctx)
		})
		if got := unwound.Sub(asked); got != want {
			t.Errorf("with ShutdownTimeout %v the task was unwound after %v, want %v", timeout, got, want)
		}
	}
}

func TestShutdown_NegativeTimeoutWaitsForEver(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Options.ShutdownTimeout = -1
	done := false
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
			err := asyncio.Sleep(context.WithoutCancel(ctx), 10000*time.Hour)
			done = true
			return err
		})
		return asyncio.Yield(ctx)
	})
	if err != nil || !done {
		t.Errorf("err=%v, the slow task was awaited: %v", err, done)
	}
}

func TestShutdown_LeavesWhatBlocksOutsideOfAnAwait(t *testing.T) {
	var mu sync.Mutex
	mu.Lock()
	b := newBench()
	b.Options.Clock = nil // a blocked step is a matter of real time
	b.Options.StallThreshold = -1
	b.Options.ShutdownTimeout = 10 * time.Millisecond
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "stuck"}, asyncio.Void(func(ctx context.Context) error {
			defer func() {
				mu.Lock() // blocks in its cleanup
				defer mu.Unlock()
			}()
			return asyncio.Sleep(ctx, time.Hour)
		}))
		asyncio.SpawnWith(context.WithoutCancel(ctx), asyncio.TaskOptions{Name: "bystander"}, asyncio.Void(func(ctx context.Context) error {
			return asyncio.Sleep(ctx, time.Hour)
		}))
		return asyncio.Yield(ctx)
	})
	var se *asyncio.ShutdownError
	if !errors.As(err, &se) || len(se.Left) < 1 ||
		!strings.Contains(se.Left[0], "<Task name='stuck'") || !strings.HasSuffix(se.Left[0], "blocks outside of an await") {
		t.Errorf("Run returned %v, want it to name the task that blocks", err)
	}
	if b.log.Count("name='stuck'", "is left behind with its loop", "shutdown_test.go") != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
	// Once it does not block any more, the loop ends after all.
	mu.Unlock()
	if left := asynciotest.Goroutines(leakedByTests); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

func TestShutdown_ThreadLocked(t *testing.T) {
	noLeaks(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b, s := newBench(), &story{}
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer s.add("cleaned")
			return asyncio.Sleep(ctx, time.Hour)
		})
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer s.add("unwound")
			return asyncio.Sleep(context.WithoutCancel(ctx), 1000*time.Hour)
		})
		return asyncio.Yield(ctx)
	})
	var se *asyncio.ShutdownError
	if !errors.As(err, &se) || len(se.Left) != 1 {
		t.Errorf("Run returned %v, want one task left", err)
	}
	s.want(t, "cleaned", "unwound")
}

func TestShutdown_ThreadLockMustNotChange(t *testing.T) {
	noLeaks(t)
	l := asyncio.NewLoop(nil)
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		return 0, asyncio.Yield(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	err = l.RunForever()
	runtime.UnlockOSThread()
	if err == nil || !strings.Contains(err.Error(), "another thread lock") {
		t.Errorf("RunForever on a locked thread = %v, want an error that explains", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestShutdown_GeneratorsCloseTogetherAfterTheTasks(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		start := l.Now()
		for _, name := range []string{"a", "b"} {
			g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
				defer func() {
					_ = asyncio.Sleep(ctx, time.Second)
					s.add("%s closed after %v", name, l.Now().Sub(start))
				}()
				for i := 0; yield(i); i++ {
				}
				return nil
			})
			if v, ok, err := g.Next(ctx); v != 0 || !ok || err != nil {
				t.Errorf("Next = %v %v %v", v, ok, err)
			}
			defer runtime.KeepAlive(g)
		}
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, time.Hour)
			s.add("task cancelled")
			return err
		})
		return asyncio.Yield(ctx)
	})
	s.want(t, "task cancelled", "a closed after 1s", "b closed after 1s")
}

func TestShutdown_WaitsForFunctions(t *testing.T) {
	noLeaks(t)
	s := &story{}
	release := make(chan struct{})
	var ended atomic.Bool
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Blocking(ctx, func(ctx context.Context) (int, error) {
				<-ctx.Done()
				close(release)
				return 0, context.Cause(ctx)
			})
			s.add("Blocking: %v", err)
			return err
		})
		asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Abandonable(ctx, func(context.Context) (int, error) {
				<-release
				ended.Store(true)
				return 0, nil
			})
			return err
		})
		return asyncio.Yield(ctx)
	})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	got := strings.Join(s.events, "; ")
	if got != "Blocking: the event loop is shutting down" || !ended.Load() {
		t.Errorf("happened: %s; the abandoned function ended: %v", got, ended.Load())
	}
}

func TestShutdown_NamesFunctionsThatStillRun(t *testing.T) {
	release := make(chan struct{})
	b := newBench()
	b.Options.Clock = nil
	b.Options.ShutdownTimeout = 20 * time.Millisecond
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { <-release; return 0, nil })
			return err
		})
		return asyncio.Sleep(ctx, time.Millisecond)
	})
	close(release)
	var se *asyncio.ShutdownError
	if !errors.As(err, &se) || !strings.Contains(err.Error(), "function asyncio_test.TestShutdown_NamesFunctionsThatStillRun") {
		t.Errorf("Run returned %v, want it to name the function", err)
	}
	if left := asynciotest.Goroutines(leakedByTests); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}
