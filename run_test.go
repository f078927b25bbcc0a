package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncio-go/asyncio"
)

var errBoom = errors.New("boom")

func TestRun_ReturnsMainsResult(t *testing.T) {
	noLeaks(t)
	v, err := asyncio.Run(t.Context(), func(ctx context.Context) (int, error) {
		return 42, asyncio.Yield(ctx)
	})
	if v != 42 || err != nil {
		t.Errorf("Run = %v, %v, want 42, nil", v, err)
	}
	v, err = asyncio.Run(t.Context(), func(ctx context.Context) (int, error) { return 7, errBoom })
	if v != 7 || err != errBoom {
		t.Errorf("Run = %v, %v, want 7, boom", v, err)
	}
}

func TestRun_OuterContextCancelsMain(t *testing.T) {
	noLeaks(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	err := newBench().Run(ctx, func(ctx context.Context) error {
		cancel(errBoom)
		return asyncio.Sleep(ctx, time.Hour)
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errBoom) {
		t.Errorf("Run returned %v, want a cancellation caused by boom", err)
	}
	wantErr(t, err, "asyncio: cancelled: boom")

	// Cancelled before: main never runs.
	err = newBench().Run(ctx, func(ctx context.Context) error {
		t.Error("main ran although its context was cancelled before")
		return nil
	})
	if !errors.Is(err, errBoom) {
		t.Errorf("Run returned %v, want boom", err)
	}
}

func TestRun_OuterDeadlineIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := asyncio.Run(ctx, func(ctx context.Context) (int, error) {
			return 0, asyncio.Sleep(ctx, time.Hour)
		})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("Run returned %v, want a timeout", err)
		}
	})
}

func TestRun_PanicLeavesAfterTheShutdown(t *testing.T) {
	noLeaks(t)
	b, s := newBench(), &story{}
	text := panicOf(func() {
		_ = b.Run(t.Context(), func(ctx context.Context) error {
			asyncio.Go(ctx, func(ctx context.Context) error {
				defer s.add("leftover cleaned")
				return asyncio.Sleep(ctx, time.Hour)
			})
			_ = asyncio.Yield(ctx)
			explode()
			return nil
		})
	})
	s.want(t, "leftover cleaned")
	if !strings.HasPrefix(text, "asyncio: Task-1 panicked: kaboom\n") || !strings.Contains(text, "asyncio_test.explode") {
		t.Errorf("Run panicked with %q, want the first panic with its stack", text)
	}
	if got := b.log.Text(); got != "" {
		t.Errorf("logged, although the panic left Run: %s", got)
	}
}

func explode() { panic("kaboom") }

func TestRun_GoexitEndsTheCallerInOrder(t *testing.T) {
	noLeaks(t)
	for name, main := range map[string]func(ctx context.Context, s *story) error{
		"in main": func(ctx context.Context, s *story) error {
			defer s.add("main's deferred")
			runtime.Goexit()
			return nil
		},
		"in a task": func(ctx context.Context, s *story) error {
			defer s.add("main's deferred")
			asyncio.Go(ctx, func(ctx context.Context) error { runtime.Goexit(); return nil })
			return asyncio.Sleep(ctx, time.Hour)
		},
		"in a callback": func(ctx context.Context, s *story) error {
			defer s.add("main's deferred")
			l, err := asyncio.RunningLoop(ctx)
			l.CallSoon(runtime.Goexit)
			return errors.Join(err, asyncio.Sleep(ctx, time.Hour))
		},
		"in an eager task": func(ctx context.Context, s *story) error {
			defer s.add("main's deferred")
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, func(ctx context.Context) (int, error) {
				runtime.Goexit()
				return 0, nil
			})
			return nil
		},
	} {
		s, returned := &story{}, false
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = newBench().Run(t.Context(), func(ctx context.Context) error {
				for range 3 { // each Goexit in the shutdown takes a goroutine along
					asyncio.Go(ctx, func(ctx context.Context) error {
						defer s.add("leftover cleaned")
						defer func() { _ = asyncio.Sleep(context.WithoutCancel(ctx), time.Second) }()
						_ = asyncio.Sleep(ctx, time.Hour)
						runtime.Goexit()
						return nil
					})
				}
				_ = asyncio.Yield(ctx)
				return main(ctx, s)
			})
			returned = true
		}()
		<-done
		if returned {
			t.Errorf("Goexit %s: Run returned", name)
		}
		if got := strings.Join(s.events, "; "); strings.Count(got, "leftover cleaned") != 3 || !strings.Contains(got, "main's deferred") {
			t.Errorf("Goexit %s: happened: %s", name, got)
		}
	}
}

func TestRun_FatalInATaskEndsTheTest(t *testing.T) {
	noLeaks(t)
	cleaned := false
	var inner testing.T // records the failure in place of a test that must fail
	fail := inner.FailNow
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = newBench().Run(context.Background(), func(ctx context.Context) error {
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				defer func() { cleaned = true }()
				fail()
				return nil
			})
			_, err := task.Await(ctx)
			return err
		})
		t.Error("Run returned after FailNow in a task")
	}()
	<-done
	if !inner.Failed() || !cleaned {
		t.Errorf("failed=%v cleaned=%v, want both", inner.Failed(), cleaned)
	}
}

func TestRun_CancelsLeftoversInOrderOfCreation(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		leftover := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, time.Hour)
				s.add("%s %v", name, err)
				return err
			}
		}
		asyncio.Go(ctx, func(ctx context.Context) error {
			// Its bracket is younger than the next task; the task is not.
			return asyncio.Timeout(ctx, time.Hour, leftover("a"))
		})
		b := asyncio.Go(ctx, leftover("b"))
		asyncio.Go(context.WithoutCancel(ctx), leftover("c"))
		asyncio.Go(ctx, func(ctx context.Context) error {
			asyncio.Go(ctx, leftover("e"))
			return leftover("d")(ctx)
		})
		_ = asyncio.Yield(ctx)
		_ = asyncio.Yield(ctx)
		if b.Done() {
			t.Error("a leftover is done before main returns")
		}
		return nil
	})
	const why = " asyncio: cancelled: the event loop is shutting down"
	s.want(t, "a"+why, "b"+why, "c"+why, "d"+why, "e"+why)
}

func TestRun_AwaitsWhatLeftoversSpawn(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			_ = asyncio.Sleep(ctx, time.Hour)
			child := asyncio.Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
				s.add("a task born in the shutdown ran")
				return nil
			})
			_, err := asyncio.Shield(ctx, func(ctx context.Context) (struct{}, error) { return child.Await(ctx) })
			s.add("child: %v", errors.Is(err, context.Canceled))
			return nil
		})
		return asyncio.Yield(ctx)
	})
	s.want(t, "child: true")
}

func TestRun_ReportsErrorsOfLeftovers(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Debug = asyncio.DebugOff
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "worker"}, asyncio.Void(func(ctx context.Context) error {
			_ = asyncio.Sleep(ctx, time.Hour)
			return errBoom
		}))
		return errors.Join(asyncio.Yield(ctx), errors.New("main's own"))
	})
	wantErr(t, err, "main's own")
	if b.log.Count("ERROR asyncio: unhandled exception during asyncio.Run shutdown", "name='worker'", "exception=boom") != 1 ||
		len(b.log.Lines()) != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}

func TestRun_Isolation(t *testing.T) {
	// However the first run ends, the second on the same Runner and goroutine
	// sees nothing of it.
	ends := map[string]func(ctx context.Context) error{
		"success": func(ctx context.Context) error { return nil },
		"error":   func(ctx context.Context) error { return errBoom },
		"panic":   func(ctx context.Context) error { panic("first") },
		"goexit":  func(ctx context.Context) error { runtime.Goexit(); return nil },
		"forced unwind": func(ctx context.Context) error {
			asyncio.Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
				for {
					_ = asyncio.Sleep(context.WithoutCancel(ctx), time.Hour)
				}
			})
			return asyncio.Yield(ctx)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			b := newBench()
			var stale context.Context
			second := func() {
				if asyncio.CurrentTask(stale) != nil {
					t.Error("a stale context has a current task")
				}
				err := b.Run(t.Context(), func(ctx context.Context) error {
					l, err := asyncio.RunningLoop(ctx)
					if err != nil || l.Tasks().Len() != 1 {
						t.Errorf("the second run begins with tasks %v, %v", l.Tasks(), err)
					}
					if text := panicOf(func() { _ = asyncio.Yield(stale) }); !strings.Contains(text, "was used on") {
						t.Errorf("a context of the first run is taken in the second: %s", text)
					}
					return asyncio.Sleep(ctx, 48*time.Hour) // past all timers of the first
				})
				if err != nil {
					t.Errorf("the second run returned %v", err)
				}
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer second()
				defer func() { _ = recover() }()
				_ = b.Run(t.Context(), func(ctx context.Context) error {
					stale = ctx
					l, err := asyncio.RunningLoop(ctx)
					l.CallLater(24*time.Hour, func() { t.Error("a timer of the first run fired") })
					l.CallSoon(func() { l.CallSoon(func() {}) })
					return errors.Join(err, end(ctx))
				})
			}()
			<-done
		})
	}
}

func TestRunner_Lifecycle(t *testing.T) {
	noLeaks(t)
	b := newBench()
	l, err := b.Loop()
	if err != nil {
		t.Fatal(err)
	}
	called := false
	l.CallSoon(func() { called = true })
	var inside *asyncio.Loop
	err = b.Run(t.Context(), func(ctx context.Context) error {
		inside, _ = asyncio.RunningLoop(ctx)
		return asyncio.Yield(ctx)
	})
	if err != nil || inside != l || !called {
		t.Errorf("err=%v, same loop=%v, called=%v", err, inside == l, called)
	}
	if !l.Closed() {
		t.Error("the loop is open after the run")
	}
	next, err := b.Loop()
	if err != nil || next == l {
		t.Errorf("Loop() after a run = %v, %v, want a new one", next, err)
	}
	if err := b.Close(); err != nil || !next.Closed() {
		t.Errorf("Close() = %v, loop closed=%v", err, next.Closed())
	}
	if err := b.Close(); err != nil {
		t.Errorf("second Close() = %v", err)
	}
	_, err = b.Loop()
	wantErr(t, err, "asyncio: Runner.Loop: runner is closed; use a new Runner")
	err = b.Run(t.Context(), func(context.Context) error { return nil })
	wantErr(t, err, "asyncio: Runner.Run: runner is closed; use a new Runner")
}

func TestRun_OnManyGoroutinesAtOnce(t *testing.T) {
	noLeaks(t)
	const n = 50
	results := make(chan int)
	for i := range n {
		go func() {
			v, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
				sum := 0
				for range 100 {
					v, err := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) { return i, asyncio.Yield(ctx) }).Await(ctx)
					if err != nil {
						return 0, err
					}
					sum += v
				}
				return sum, nil
			})
			if err != nil {
				t.Error(err)
			}
			results <- v
		}()
	}
	total := 0
	for range n {
		total += <-results
	}
	if want := 100 * n * (n - 1) / 2; total != want {
		t.Errorf("sum is %d, want %d", total, want)
	}
}
