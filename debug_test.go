package asyncio_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

func TestDebug_Switch(t *testing.T) {
	for _, c := range []struct {
		env  string
		mode asyncio.DebugMode
		want bool
	}{
		{"", asyncio.DebugFromEnv, false},
		{"1", asyncio.DebugFromEnv, true},
		{"yes", asyncio.DebugFromEnv, true},
		{"0", asyncio.DebugFromEnv, false},
		{"false", asyncio.DebugFromEnv, false},
		{"", asyncio.DebugOn, true},
		{"1", asyncio.DebugOff, false},
	} {
		t.Setenv("ASYNCIODEBUG", c.env)
		r := asyncio.Runner{Debug: c.mode}
		got, err := asyncio.RunWith(t.Context(), &r, func(ctx context.Context) (bool, error) {
			l, err := asyncio.RunningLoop(ctx)
			return l.Debug(), err
		})
		if got != c.want || err != nil {
			t.Errorf("ASYNCIODEBUG=%q and mode %d: debug=%v, %v, want %v", c.env, c.mode, got, err, c.want)
		}
		l := asyncio.NewLoop(&asyncio.LoopOptions{Debug: c.mode})
		if l.Debug() != c.want {
			t.Errorf("ASYNCIODEBUG=%q and mode %d: NewLoop has debug=%v", c.env, c.mode, l.Debug())
		}
		_ = l.Close()
	}
}

// debugBench is a bench in debug mode on the machine's clock.
func debugBench() *bench {
	b := newBench()
	b.Debug = asyncio.DebugOn
	b.Options.Clock = nil
	return b
}

// busy blocks the loop for as long as the real clock needs to pass d.
func busy(d time.Duration) { time.Sleep(d) }

func TestDebug_SlowStepsAndCallbacks(t *testing.T) {
	noLeaks(t)
	b := debugBench()
	b.Options.SlowThreshold = 20 * time.Millisecond
	b.Options.StallThreshold = -1
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "slow"}, func(context.Context) (int, error) {
			busy(25 * time.Millisecond)
			return 7, nil
		})
		l.CallSoon(slowCallback)
		l.CallSoon(func() {})
		return asyncio.Yield(ctx)
	})
	if err != nil {
		t.Error(err)
	}
	lines := b.log.Lines()
	if len(lines) != 2 {
		t.Fatalf("logged:\n%s", b.log.Text())
	}
	for i, want := range []string{
		`^WARN asyncio: Executing <Task finished name='slow' coro=asyncio_test\.TestDebug_SlowStepsAndCallbacks\.func1\.1\(\) ` +
			`result=7 created at [^ ]+/debug_test\.go:\d+> took \d+\.\d{3} seconds$`,
		`^WARN asyncio: Executing <Handle asyncio_test\.slowCallback\(\) created at [^ ]+/debug_test\.go:\d+> took \d+\.\d{3} seconds$`,
	} {
		if !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Errorf("logged %s\nwant   %s", lines[i], want)
		}
	}
}

func slowCallback() { busy(25 * time.Millisecond) }

func TestDebug_SaysWhereThingsWereCreated(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Debug = asyncio.DebugOn
	err := b.Run(t.Context(), func(ctx context.Context) error {
		const created = ` created at [^ ]+/debug_test\.go:\d+>$`
		l, _ := asyncio.RunningLoop(ctx)
		for _, object := range []fmt.Stringer{
			asyncio.Go(ctx, nothing), asyncio.NewFuture[int](ctx), l.CallSoon(func() {}), l.CallLater(time.Hour, func() {}),
			l.CallAt(l.Now(), func() {}), asyncio.Generate(ctx, noItems),
		} {
			if !regexp.MustCompile(created).MatchString(object.String()) {
				t.Errorf("%s does not say where it was created", object)
			}
		}
		// The chain of spawners.
		asyncio.Go(ctx, func(ctx context.Context) error {
			asyncio.Go(ctx, func(ctx context.Context) error { asyncio.Go(ctx, fail); return nil })
			return nil
		})
		return asyncio.Sleep(ctx, time.Second)
	})
	if err != nil {
		t.Error(err)
	}
	place := `[^ ]+/debug_test\.go:\d+`
	want := `created=` + place + ` by Task-1-3-1, which was spawned at ` + place + ` by Task-1-3, which was spawned at ` + place + ` by Task-1, `
	if !regexp.MustCompile(want).MatchString(b.log.Text()) {
		t.Errorf("logged %s\nwant   %s", b.log.Text(), want)
	}
}

// An idleClock tells when its loop is about to sleep.
type idleClock struct {
	*asyncio.ManualClock
	idle chan struct{}
}

func (c idleClock) Idle(next time.Time, external bool, w asyncio.Waker) bool {
	moved := c.ManualClock.Idle(next, external, w)
	select {
	case c.idle <- struct{}{}:
	default:
	}
	return moved
}

func TestDebug_SlowPoll(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Debug = asyncio.DebugOn
	b.clock.Frozen = true
	clock := idleClock{b.clock, make(chan struct{}, 1)}
	b.Options.Clock = clock
	go func() {
		<-clock.idle
		b.clock.Advance(2 * time.Second)
	}()
	err := b.Run(t.Context(), func(ctx context.Context) error { return asyncio.Sleep(ctx, 2*time.Second) })
	if err != nil || b.log.Count("INFO asyncio: poll took 2000.000 ms") != 1 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}

func TestDebug_FunctionThatOutlivesItsCaller(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Debug = asyncio.DebugOn
	release := make(chan struct{})
	err := b.Run(t.Context(), func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Abandonable(ctx, func(context.Context) (int, error) { <-release; return 0, nil })
			return err
		})
		_ = asyncio.Yield(ctx)
		task.Cancel(nil)
		_, _ = task.Await(ctx)
		close(release)
		return nil
	})
	if err != nil || b.log.Count("WARN asyncio: the function asyncio_test.TestDebug_FunctionThatOutlivesItsCaller",
		"outlives its caller Task-1-1") != 1 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}

func TestDebug_IgnoredCancellation(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Debug = asyncio.DebugOn
	err := b.Run(t.Context(), func(ctx context.Context) error {
		task := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "deaf"}, asyncio.Void(func(ctx context.Context) error {
			for range 1000 {
				_ = asyncio.Sleep(ctx, time.Second)
			}
			return nil
		}))
		_ = asyncio.Yield(ctx)
		task.Cancel(nil)
		_, err := task.Await(ctx)
		return err
	})
	if err != nil || b.log.Count("WARN asyncio: <Task cancelling name='deaf'",
		"keeps ignoring its cancellation: 100 awaits have failed; return when an await fails") != 1 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}

func TestDebug_LabelsGoroutines(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Debug = asyncio.DebugOn
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "labelled"}, asyncio.Void(func(ctx context.Context) error {
			return asyncio.Sleep(ctx, time.Hour)
		}))
		_ = asyncio.Yield(ctx)
		var profile bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&profile, 1)
		if !strings.Contains(profile.String(), `"asyncio.task":"labelled"`) {
			t.Errorf("no goroutine is labelled with its task:\n%s", profile.String())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A latch is a mutex that a task blocks on, until the watchdog has reported.
type latch struct {
	mu       sync.Mutex
	log      *asynciotest.Log
	released atomic.Bool
}

// Handle releases the blocked step once it is reported.
func (l *latch) Handle(ctx context.Context, rec slog.Record) error {
	err := l.log.Handle(ctx, rec)
	if strings.Contains(rec.Message, "block") && l.released.CompareAndSwap(false, true) {
		l.mu.Unlock()
	}
	return err
}
func (l *latch) Enabled(context.Context, slog.Level) bool { return true }
func (l *latch) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *latch) WithGroup(string) slog.Handler            { return l }

func stuckOnAMutex(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

func TestWatchdog_NamesTheLineWhileItBlocks(t *testing.T) {
	for name, block := range map[string]func(ctx context.Context, l *latch) error{
		"task": func(ctx context.Context, l *latch) error {
			stuckOnAMutex(&l.mu) // returns only because the report has come
			return nil
		},
		"eager task": func(ctx context.Context, l *latch) error {
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, func(context.Context) (int, error) {
				stuckOnAMutex(&l.mu)
				return 0, nil
			})
			return nil
		},
		"generator": func(ctx context.Context, l *latch) error {
			g := asyncio.Generate(ctx, func(context.Context, func(int) bool) error { stuckOnAMutex(&l.mu); return nil })
			_, _, err := g.Next(ctx)
			return err
		},
		"callback": func(ctx context.Context, l *latch) error {
			loop, err := asyncio.RunningLoop(ctx)
			loop.CallSoon(func() { stuckOnAMutex(&l.mu) })
			_ = asyncio.Yield(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			b := quietBench()
			b.Options.StallThreshold = 200 * time.Millisecond // far above what comes before the block
			l := &latch{log: b.log}
			l.mu.Lock()
			b.Options.Logger = slog.New(l)
			// Other loops that are busy or asleep do not confuse it.
			other := make(chan struct{})
			done := make(chan error)
			go func() {
				_, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
					for {
						select {
						case <-other:
							return 0, nil
						default:
							_ = asyncio.Yield(ctx)
						}
					}
				})
				done <- err
			}()
			err := b.Run(t.Context(), func(ctx context.Context) error {
				for range 100 {
					asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
				}
				_ = asyncio.Yield(ctx)
				return block(ctx, l)
			})
			close(other)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err != nil {
				t.Error(err)
			}
			what := "<Task name="
			switch name {
			case "callback":
				what = "<Handle asyncio_test.TestWatchdog_NamesTheLineWhileItBlocks"
			case "generator":
				what = "<Task name='Generator-"
			}
			if b.log.Count("WARN asyncio: Executing "+what, "has been blocking loop", " seconds stack=",
				"asyncio_test.stuckOnAMutex", "debug_test.go:") != 1 {
				t.Errorf("logged:\n%s", b.log.Text())
			}
		})
	}
}

func TestWatchdog_OffByOption(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	b.Options.StallThreshold = -1
	if err := b.Run(t.Context(), func(context.Context) error { busy(30 * time.Millisecond); return nil }); err != nil {
		t.Error(err)
	}
	if text := b.log.Text(); text != "" {
		t.Errorf("logged: %s", text)
	}
}

func TestWatchdog_ReportsAStepOnceAndTheNextAgain(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	b.Options.StallThreshold = 200 * time.Millisecond // far above what comes before the block
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l := &latch{log: b.log}
		for range 2 {
			l.mu.Lock()
			before := b.log.Count("block") // any report: one without the stack must fail, not hang
			go func() {
				for b.log.Count("block") == before {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(150 * time.Millisecond) // three looks: time for a second report, which must not come
				l.mu.Unlock()
			}()
			stuckOnAMutex(&l.mu)
			_ = asyncio.Yield(ctx)
		}
		return nil
	})
	if err != nil || b.log.Count("has been blocking", "stuckOnAMutex") != 2 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}
