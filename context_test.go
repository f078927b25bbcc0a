package asyncio_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

type contextKey int

// closed reports whether c is cancelled, and fails if Done, Err and Cause do
// not say the same.
func closed(t *testing.T, what string, c context.Context, cause error) bool {
	t.Helper()
	done := false
	select {
	case <-c.Done():
		done = true
	default:
	}
	err, why := c.Err(), context.Cause(c)
	if done && (err != context.Canceled || why != cause) || !done && (err != nil || why != nil) {
		t.Errorf("%s: Done closed=%v, Err %v, Cause %v, want the cause %v", what, done, err, why, cause)
	}
	return done
}

// arrives reports whether something comes from ch: false is a failure, and only then a
// minute passes. It waits off the loop, on the machine's clock, which does not stand still.
func arrives(ctx context.Context, ch <-chan struct{}) bool {
	ok, _ := asyncio.Blocking(context.WithoutCancel(ctx), func(context.Context) (bool, error) {
		select {
		case <-ch:
			return true, nil
		case <-time.After(time.Minute):
			return false, nil
		}
	})
	return ok
}

// derivations are the ways to derive one context from another.
var derivations = map[string]func(context.Context) (context.Context, context.CancelCauseFunc){
	"ours": asyncio.WithCancelCause,
	"std":  context.WithCancelCause,
	"ours with deadline": func(c context.Context) (context.Context, context.CancelCauseFunc) {
		c, cancel := asyncio.WithTimeout(c, time.Hour)
		return c, func(error) { cancel() }
	},
	"std with deadline": func(c context.Context) (context.Context, context.CancelCauseFunc) {
		c, cancel := context.WithTimeout(c, time.Hour)
		return c, func(error) { cancel() }
	},
	"value": func(c context.Context) (context.Context, context.CancelCauseFunc) {
		return context.WithValue(c, contextKey(1), "one"), func(error) {}
	},
	"custom": func(c context.Context) (context.Context, context.CancelCauseFunc) {
		return struct{ context.Context }{c}, func(error) {}
	},
}

// chains calls f with every chain of three contexts below c.
func chains(c context.Context, f func(name string, kinds []string, levels []context.Context, cancel func(int, error))) {
	for a := range derivations {
		for b := range derivations {
			for d := range derivations {
				kinds, cancels := []string{"ours", a, b, d}, []context.CancelCauseFunc{}
				levels, up := []context.Context{}, c
				for _, kind := range kinds {
					next, cancel := derivations[kind](up)
					levels, cancels, up = append(levels, next), append(cancels, cancel), next
				}
				f(strings.Join(kinds, " > "), kinds, levels, func(i int, cause error) { cancels[i](cause) })
				for i := range cancels {
					cancels[i](nil)
				}
			}
		}
	}
}

func TestContext_CancellationReachesContextsOfAnyKindBelow(t *testing.T) {
	run(t, func(ctx context.Context) error {
		chains(ctx, func(name string, kinds []string, levels []context.Context, cancel func(int, error)) {
			for _, c := range levels {
				if closed(t, name, c, nil) {
					t.Errorf("%s: cancelled from the beginning", name)
				}
			}
			var waiting []*asyncio.Task[struct{}]
			for _, c := range levels {
				waiting = append(waiting, asyncio.Go(ctx, func(context.Context) error { return sleepLong(c) }))
			}
			turns(t, ctx, 1)
			cancel(0, errBoom)
			native, std := true, false // no scope below a standard context so far
			for i, c := range levels {
				std = std || strings.HasPrefix(kinds[i], "std")
				native = native && !(std && strings.HasPrefix(kinds[i], "ours"))
				if native && !closed(t, name, c, errBoom) {
					t.Errorf("%s: level %d is not cancelled at once", name, i)
				}
				if !arrives(ctx, c.Done()) || !closed(t, name, c, errBoom) {
					t.Errorf("%s: level %d was not cancelled", name, i)
				}
				_, err := waiting[i].Await(ctx)
				wantCancelled(t, name+": who waits already", err, errBoom)
				wantCancelled(t, name+": who comes later", asyncio.Yield(c), errBoom)
			}
		})
		return nil
	})
}

func TestContext_CancellationSparesContextsAbove(t *testing.T) {
	run(t, func(ctx context.Context) error {
		chains(ctx, func(name string, kinds []string, levels []context.Context, cancel func(int, error)) {
			cancel(3, errBoom)
			for _, c := range levels[:3] {
				if closed(t, name, c, nil) || c.Value(contextKey(2)) != nil {
					t.Errorf("%s: cancelled by the one below", name)
				}
			}
			if kind := kinds[3]; kind == "ours" || kind == "std" {
				if !closed(t, name, levels[3], errBoom) {
					t.Errorf("%s: the one below was not cancelled", name)
				}
			}
		})
		return nil
	})
}

func TestContext_DoneIsOneChannel(t *testing.T) {
	run(t, func(ctx context.Context) error {
		before, cancel := asyncio.WithCancelCause(ctx)
		done := before.Done()
		cancel(errBoom)
		if before.Done() != done || !closed(t, "asked before", before, errBoom) {
			t.Error("Done is another channel after the cancellation, or open")
		}
		after, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		first := after.Done()
		if !closed(t, "asked after", after, errBoom) || after.Done() != first {
			t.Error("Done, first asked for after the cancellation, is open, or another each time")
		}
		below, stop := asyncio.WithCancelCause(after)
		stop(nil)
		if !closed(t, "born cancelled", below, errBoom) {
			t.Error("a scope below a cancelled one is not cancelled")
		}
		return nil
	})
}

func TestContext_ValuesAreFound(t *testing.T) {
	run(t, func(main context.Context) error {
		ctx := context.WithValue(main, contextKey(1), "one")
		check := func(what string, c context.Context) {
			t.Helper()
			if c.Value(contextKey(1)) != "one" || c.Value(contextKey(2)) != nil || c.Value("key") != nil {
				t.Errorf("%s: value is %v, %v", what, c.Value(contextKey(1)), c.Value(contextKey(2)))
			}
		}
		var kept []context.Context
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			check("task", ctx)
			kept = append(kept, ctx)
			_, _ = asyncio.Shield(ctx, func(ctx context.Context) (int, error) { check("shield", ctx); return 0, nil })
			return asyncio.Timeout(ctx, time.Hour, func(ctx context.Context) error {
				check("timeout", ctx)
				std, stop := context.WithCancel(ctx)
				defer stop()
				kept = append(kept, ctx, context.WithoutCancel(ctx), std)
				_, err := asyncio.Go(std, func(ctx context.Context) error {
					check("task below std", ctx)
					kept = append(kept, ctx)
					return nil
				}).Await(ctx)
				return err
			})
		})
		_, err := task.Await(main)
		for i, c := range kept { // finished, closed or cancelled by now
			check(fmt.Sprintf("afterwards %d", i), c)
			c.Done()
			check(fmt.Sprintf("after Done %d", i), c)
		}
		return err
	})
}

func TestContext_NoGoroutineForContexts(t *testing.T) {
	run(t, func(ctx context.Context) error {
		before := runtime.NumGoroutine()
		var cancels []context.CancelFunc
		for range 500 {
			c, cancel := asyncio.WithTimeout(ctx, time.Hour)
			std, stop := context.WithCancel(context.WithValue(struct{ context.Context }{c}, contextKey(1), 1))
			below, cancelBelow := asyncio.WithCancel(std)
			std2, stop2 := context.WithTimeout(below, time.Hour)
			_ = context.AfterFunc(std2, func() {})
			cancels = append(cancels, stop2, cancelBelow, stop, cancel)
		}
		if more := runtime.NumGoroutine() - before; more > 10 {
			t.Errorf("%d goroutines for 500 chains of contexts, want none", more)
		}
		for _, cancel := range cancels {
			cancel()
		}
		return nil
	})
}

func TestContext_ConcurrentUse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var wg sync.WaitGroup
		never := asyncio.NewFuture[int](ctx)
		for range 100 {
			c, cancel := asyncio.WithCancelCause(ctx)
			task := asyncio.Spawn(c, never.Await)
			var inTask context.Context
			asyncio.Go(c, func(ctx context.Context) error { inTask = ctx; return nil })
			turns(t, ctx, 1)
			for _, c := range []context.Context{c, inTask, ctx} {
				for range 2 {
					wg.Go(func() {
						std, stop := context.WithCancel(c)
						defer stop()
						_, _ = std.Deadline()
						_, _ = std.Value(contextKey(1)), context.Cause(c)
						if got := fmt.Sprint(std); !strings.HasPrefix(got, "asyncio.Scope(loop ") || !strings.HasSuffix(got, ")).WithCancel") {
							t.Errorf("a standard context below a scope prints as %q", got)
						}
						if err := c.Err(); err != nil && err != context.Canceled {
							t.Errorf("Err is %v", err)
						}
						if c != ctx {
							<-c.Done()
							if context.Cause(c) != errBoom {
								t.Errorf("Cause is %v, want boom", context.Cause(c))
							}
						}
					})
				}
			}
			wg.Go(func() { cancel(errBoom) })
			_, err := task.Await(ctx)
			wantCancelled(t, "the task", err, errBoom)
		}
		_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { wg.Wait(); return 0, nil })
		return err
	})
}

// Err is not nil only if Done is closed and the cause is known, as the standard
// library promises (golang/go#75533).
func TestContext_ErrComesAfterDone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for range 300 {
			c, cancel := asyncio.WithCancelCause(ctx)
			c.Done()
			go cancel(errBoom)
			for c.Err() == nil {
				runtime.Gosched()
			}
			if !closed(t, "Err is not nil", c, errBoom) {
				t.Error("Err is not nil, but Done is not closed")
				break
			}
		}
		return nil
	})
}

func TestContext_BracketEndsWhileDoneIsAskedFor(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var asked sync.WaitGroup
		for range 3000 {
			_ = asyncio.Timeout(ctx, time.Hour, func(ctx context.Context) error {
				begun := make(chan struct{})
				asked.Go(func() { close(begun); <-ctx.Done() })
				<-begun
				return nil
			})
		}
		all := make(chan struct{})
		go func() { asked.Wait(); close(all) }()
		if !arrives(ctx, all) {
			t.Error("Done of a bracket that has ended stays open")
		}
		return nil
	})
}

func TestContext_DeadlineIsTheEarliest(t *testing.T) {
	run(t, func(ctx context.Context) error {
		std, stop := context.WithTimeout(ctx, time.Hour)
		defer stop()
		c, cancel := asyncio.WithDeadline(std, time.Now().Add(2*time.Hour)) // the time that standard contexts know
		defer cancel()
		want, _ := std.Deadline()
		if d, ok := c.Deadline(); !ok || d.After(want.Add(time.Second)) {
			t.Errorf("Deadline is %v, want that of the standard context above, %v", d, want)
		}
		return nil
	})
}

func TestContext_CancelReachesBelowAfterTheLoopIsClosed(t *testing.T) {
	var detached, below, std context.Context
	var cancel context.CancelCauseFunc
	run(t, func(ctx context.Context) error {
		detached, cancel = asyncio.WithCancelCause(context.WithoutCancel(ctx))
		below, _ = asyncio.WithCancel(detached)
		std = context.WithValue(below, contextKey(1), 1)
		if closed(t, "std", std, nil) || closed(t, "below", below, nil) {
			t.Error("cancelled from the beginning")
		}
		return nil
	})
	cancel(errBoom)
	for i, c := range []context.Context{detached, below, std} {
		if !closed(t, "after the loop is closed", c, errBoom) {
			t.Errorf("context %d is not cancelled", i)
		}
	}
}

func TestWithTimeout_EndsAtItsDeadline(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		for name, derive := range map[string]func() (context.Context, context.CancelFunc){
			"WithTimeout": func() (context.Context, context.CancelFunc) { return asyncio.WithTimeout(ctx, time.Second) },
			"WithDeadline": func() (context.Context, context.CancelFunc) {
				return asyncio.WithDeadline(ctx, l.Now().Add(2*time.Second))
			},
			"a later one below": func() (context.Context, context.CancelFunc) {
				above, _ := asyncio.WithTimeout(ctx, time.Second)
				return asyncio.WithTimeout(above, time.Minute)
			},
			"below WithoutCancel": func() (context.Context, context.CancelFunc) {
				above, _ := asyncio.WithTimeout(ctx, time.Second)
				return asyncio.WithTimeout(context.WithoutCancel(above), time.Minute)
			},
		} {
			c, cancel := derive()
			d, ok := c.Deadline()
			err := sleepLong(c)
			wantTimeout(t, name, err, "asyncio: cancelled by a deadline")
			if !ok || !d.Equal(l.Now()) || c.Err() != context.DeadlineExceeded || context.Cause(c) != context.DeadlineExceeded {
				t.Errorf("%s: ended at %v, Deadline %v, Err %v, Cause %v", name, l.Now(), d, c.Err(), context.Cause(c))
			}
			cancel()
		}
		return err
	})
}

func TestWithTimeout_ZeroOrPastCancelsAtOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c, cancel := asyncio.WithTimeout(ctx, 0)
		defer cancel()
		past, cancelPast := asyncio.WithDeadline(ctx, time.Time{})
		defer cancelPast()
		for _, c := range []context.Context{c, past} {
			wantTimeout(t, "Yield", asyncio.Yield(c), "asyncio: cancelled by a deadline")
			select {
			case <-c.Done():
			default:
				t.Errorf("Done is open, Err is %v", c.Err())
			}
		}
		return nil
	})
}

func TestWithTimeout_CancelledLeavesNoTimer(t *testing.T) {
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		for range 3 {
			c, cancel := asyncio.WithTimeout(ctx, time.Hour)
			cancel()
			cancel() // may be called again
			wantCancelled(t, "Yield", asyncio.Yield(c), nil)
		}
		return asyncio.Sleep(ctx, 2*time.Second)
	})
	if past := b.clock.Now().Sub((&asyncio.ManualClock{}).Now()); past != 2*time.Second || err != nil {
		t.Errorf("%v, %v passed, want 2s: a timer was left", err, past)
	}
}
