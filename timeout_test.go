package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// stubborn works for d whatever happens to ctx, then returns v and err.
func stubborn[T any](d time.Duration, v T, err error) func(context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		return v, errors.Join(err, asyncio.Sleep(context.WithoutCancel(ctx), d))
	}
}

// sleeping is a function that sleeps for d.
func sleeping(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error { return asyncio.Sleep(ctx, d) }
}

func wantTimeout(t *testing.T, what string, err error, text string) {
	t.Helper()
	if !errors.Is(err, asyncio.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, context.Canceled) || err.Error() != text {
		t.Errorf("%s: error is %v, want the timeout %q", what, err, text)
	}
}

// took is the time that f takes on the loop's clock.
func took(t *testing.T, ctx context.Context, f func()) time.Duration {
	t.Helper()
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		t.Fatal(err)
	}
	start := l.Now()
	f()
	return l.Now().Sub(start)
}

func TestTimeout_StrikesAtItsDeadline(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var err error
		past := took(t, ctx, func() { err = asyncio.Timeout(ctx, 3*time.Second, sleepLong) })
		wantTimeout(t, "Timeout", err, "asyncio: timed out after 3s")
		if past != 3*time.Second {
			t.Errorf("it took %v, want 3s", past)
		}
		v, err := asyncio.WaitFor(ctx, time.Second, func(ctx context.Context) (int, error) { return 4, sleepLong(ctx) })
		wantTimeout(t, "WaitFor", err, "asyncio: timed out after 1s")
		if v != 4 {
			t.Errorf("value is %v, want the one that came with the failure", v)
		}
		var timeout interface{ Timeout() bool } // as net.Error and os.IsTimeout ask
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v does not say that it is a timeout", err)
		}
		return asyncio.Yield(ctx) // nothing of it is left
	})
}

func TestTimeout_KeepsWhatComesInTime(t *testing.T) {
	run(t, func(ctx context.Context) error {
		v, err := asyncio.WaitFor(ctx, time.Second, func(ctx context.Context) (int, error) { return 5, asyncio.Yield(ctx) })
		if v != 5 || err != nil {
			t.Errorf("WaitFor = %v, %v, want 5", v, err)
		}
		if err := asyncio.Timeout(ctx, time.Second, func(context.Context) error { return errBoom }); err != errBoom {
			t.Errorf("Timeout = %v, want boom itself", err)
		}
		// Somebody else's deadline is an error like any other.
		foreign := fmt.Errorf("fetch: %w", context.DeadlineExceeded)
		if err := asyncio.Timeout(ctx, time.Second, func(context.Context) error { return foreign }); err != foreign {
			t.Errorf("Timeout = %v, want the function's own error", err)
		}
		past := took(t, ctx, func() { err = asyncio.Timeout(ctx, time.Hour, sleeping(time.Second)) })
		if past != time.Second || err != nil {
			t.Errorf("Timeout = %v after %v, want nil after 1s", err, past)
		}
		return nil
	})
}

func TestTimeout_KeepsResultsThatComeLate(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v int
		var err error
		past := took(t, ctx, func() { v, err = asyncio.WaitFor(ctx, time.Second, stubborn(time.Minute, 6, nil)) })
		if v != 6 || err != nil || past != time.Minute {
			t.Errorf("WaitFor = %v, %v after %v, want 6 after 1m", v, err, past)
		}
		_, err = asyncio.WaitFor(ctx, time.Second, stubborn(time.Minute, 0, errBoom))
		if !errors.Is(err, errBoom) || errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("WaitFor = %v, want boom", err)
		}
		return nil
	})
}

// What a function says beside the timeout is not thrown away.
func TestTimeout_KeepsErrorsJoinedToTheFailure(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			return errors.Join(sleepLong(ctx), errBoom) // such as the error of a rollback
		})
		if !errors.Is(err, asyncio.ErrTimeout) || !errors.Is(err, errBoom) {
			t.Errorf("Timeout = %v, want the timeout and boom", err)
		}
		return nil
	})
}

func TestTimeout_NestedAreToldApart(t *testing.T) {
	for _, c := range []struct {
		outer, inner     time.Duration
		innerErr, outErr string
	}{
		{5 * time.Second, time.Second, "asyncio: timed out after 1s", "asyncio: timed out after 1s"},
		{time.Second, 5 * time.Second, "asyncio: cancelled by a deadline", "asyncio: timed out after 1s"},
		{time.Second, time.Second, "asyncio: cancelled by a deadline", "asyncio: timed out after 1s"},
	} {
		run(t, func(ctx context.Context) error {
			// And around them one that does not strike.
			err := asyncio.Timeout(ctx, time.Minute, func(ctx context.Context) error {
				return asyncio.Timeout(ctx, c.outer, func(ctx context.Context) error {
					err := asyncio.Timeout(ctx, c.inner, sleepLong)
					if c.inner < c.outer {
						wantTimeout(t, "the inner", err, c.innerErr)
					} else if errors.Is(err, asyncio.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || err.Error() != c.innerErr {
						t.Errorf("the inner: error is %v, want that of the deadline further out", err)
					}
					if struck := asyncio.Yield(ctx) != nil; struck != (c.outer <= c.inner) {
						t.Errorf("outer %v, inner %v: the outer one has struck: %v", c.outer, c.inner, struck)
					}
					return err
				})
			})
			wantTimeout(t, "the outer", err, c.outErr)
			return nil
		})
	}
}

// A loop that tries again after each of its own timeouts ends with the deadline
// further out, of whatever kind.
func TestTimeout_RetriesEndWithTheDeadlineFurtherOut(t *testing.T) {
	retry := func(ctx context.Context) error {
		for {
			err := asyncio.Timeout(ctx, 10*time.Second, sleepLong)
			if !errors.Is(err, asyncio.ErrTimeout) {
				return fmt.Errorf("gave up: %w", err)
			}
		}
	}
	run(t, func(ctx context.Context) error {
		wantTimeout(t, "Timeout", asyncio.Timeout(ctx, time.Minute, retry),
			"asyncio: timed out after 1m0s: gave up: asyncio: cancelled by a deadline")
		sub, cancel := asyncio.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := retry(sub); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("WithTimeout: %v", err)
		}
		return nil
	})
}

// When both have struck, the inner one's report is not the outer one's failure.
func TestTimeout_NestedThatBothStruck(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Timeout(ctx, 2*time.Second, func(ctx context.Context) error {
			return asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
				err := sleepLong(ctx)
				_, _ = stubborn(time.Minute, 0, nil)(ctx)
				return err
			})
		})
		wantTimeout(t, "the outer", err, "asyncio: timed out after 1s")
		return nil
	})
}

func TestTimeout_CancellationFromOutsideIsNoTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		at      time.Duration
		timeout bool
	}{
		"before":           {time.Second, false},
		"in the same turn": {2 * time.Second, true}, // deadlines strike before tasks run
		"after":            {3 * time.Second, true},
	} {
		run(t, func(ctx context.Context) error {
			var task *asyncio.Task[struct{}]
			asyncio.Go(ctx, func(ctx context.Context) error { // its timer is the older one
				err := asyncio.Sleep(ctx, c.at)
				task.Cancel(errBoom)
				return err
			})
			task = asyncio.Go(ctx, func(ctx context.Context) error {
				err := asyncio.Timeout(ctx, 2*time.Second, func(ctx context.Context) error {
					err := sleepLong(ctx)
					_, _ = stubborn(5*time.Second, 0, nil)(ctx) // both happen before it returns
					return err
				})
				if c.timeout {
					wantTimeout(t, name, err, "asyncio: timed out after 2s")
				} else {
					wantCancelled(t, name, err, errBoom)
				}
				// The cancellation is not lost either way.
				wantCancelled(t, name+", the next await", asyncio.Yield(ctx), errBoom)
				return nil
			})
			_, err := task.Await(ctx)
			return err
		})
	}
}

func TestTimeout_ZeroOrLessDoesNotStartTheFunction(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, d := range []time.Duration{0, -1, -time.Hour, -1 << 63} {
			v, err := asyncio.WaitFor(ctx, d, func(context.Context) (int, error) {
				t.Errorf("WaitFor(%v) started the function", d)
				return 1, nil
			})
			wantTimeout(t, "WaitFor", err, fmt.Sprintf("asyncio: timed out: WaitFor(%v) was over before the function "+
				"was started; give a duration above zero", d))
			if v != 0 {
				t.Errorf("value is %v, want 0", v)
			}
		}
		err := asyncio.Timeout(ctx, 0, func(context.Context) error { t.Error("Timeout(0) started the function"); return nil })
		wantTimeout(t, "Timeout", err,
			"asyncio: timed out: Timeout(0s) was over before the function was started; give a duration above zero")
		return asyncio.Yield(ctx)
	})
}

// python/cpython#134471: there, timeout(0) swallows a cancellation that came
// before it.
func TestTimeout_CancelledBeforeItIsEntered(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, d := range []time.Duration{-1, 0, 1, time.Hour} {
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				asyncio.CurrentTask(ctx).Cancel(errBoom)
				err := asyncio.Timeout(ctx, d, func(ctx context.Context) error {
					if d <= 0 {
						t.Errorf("Timeout(%v) started the function", d)
					}
					return asyncio.Sleep(ctx, time.Second)
				})
				wantCancelled(t, "Timeout", err, errBoom)
				wantCancelled(t, "the next await", asyncio.Yield(ctx), errBoom)
				return err
			})
			if _, err := task.Await(ctx); task.State() != asyncio.Cancelled {
				t.Errorf("Timeout(%v): the task is %v: %v", d, task.State(), err)
			}
		}
		return nil
	})
}

// python/cpython#86296: what is awaited is done when the waiter is cancelled.
func TestWaitFor_OfADoneTaskWhileCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		inner := asyncio.Spawn(ctx, func(context.Context) (int, error) { return 7, nil })
		outer := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			turns(t, ctx, 1)
			asyncio.CurrentTask(ctx).Cancel(nil)
			return asyncio.WaitFor(ctx, time.Hour, inner.Await)
		})
		_, err := outer.Await(ctx)
		wantCancelled(t, "outer", err, nil)
		if v, err := inner.Result(); v != 7 || err != nil || outer.State() != asyncio.Cancelled {
			t.Errorf("inner = %v, %v, want 7; outer is %v", v, err, outer.State())
		}
		return nil
	})
}

func TestTimeout_KnowsItsFailureInAnyForm(t *testing.T) {
	for name, failure := range map[string]func(ctx context.Context, err error) error{
		"the await's error":  func(ctx context.Context, err error) error { return err },
		"ctx.Err()":          func(ctx context.Context, err error) error { return ctx.Err() },
		"context.Cause(ctx)": func(ctx context.Context, err error) error { return context.Cause(ctx) },
		"below a standard context": func(ctx context.Context, err error) error {
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			return asyncio.Yield(ctx)
		},
		"of a task in the bracket": func(ctx context.Context, _ error) error {
			_, err := asyncio.Go(ctx, sleepLong).Await(ctx)
			return err
		},
	} {
		run(t, func(ctx context.Context) error {
			err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error { return failure(ctx, sleepLong(ctx)) })
			wantTimeout(t, name, err, "asyncio: timed out after 1s")
			return nil
		})
	}
}

// A bracket's scope ends with it, and what runs in it is cancelled, however f
// is left; then operations without a ctx obey the scope around it again.
func TestBracket_EndsWithItsFunction(t *testing.T) {
	for name, leave := range map[string]func(){"return": func() {}, "panic": func() { panic("kaboom") }, "Goexit": runtime.Goexit} {
		noLeaks(t)
		s, done := &story{}, make(chan struct{})
		go func() {
			defer close(done)
			_ = newBench().Run(t.Context(), func(ctx context.Context) error {
				l, _ := asyncio.RunningLoop(ctx)
				var inner []context.Context
				defer func() {
					s.add("recovered %v", recover())
					for _, c := range inner {
						s.add("%v %v %v", c.Err(), context.Cause(c), asyncio.Yield(c))
					}
					s.add("outside %v %v", l.Context() == ctx, asyncio.Sleep(ctx, time.Hour))
				}()
				return asyncio.Timeout(ctx, time.Minute, func(ctx context.Context) error {
					inner = append(inner, ctx)
					_, err := asyncio.Shield(ctx, func(shield context.Context) (int, error) {
						inner = append(inner, shield)
						asyncio.Go(shield, func(ctx context.Context) error {
							err := sleepLong(ctx)
							s.add("task %v", err)
							return err
						})
						turns(t, shield, 1)
						s.add("inside %v", l.Context() == shield)
						leave()
						return 0, nil
					})
					return err
				})
			})
		}()
		<-done
		recovered := "recovered <nil>"
		if name == "panic" {
			recovered = "recovered kaboom"
		}
		const ended = "context canceled context canceled asyncio: cancelled"
		s.want(t, "inside true", recovered, "task asyncio: cancelled", ended, ended, "outside true <nil>")
	}
}

// The deadline of a context from outside is a time of another clock: it says
// nothing of when a timeout on this one strikes.
func TestTimeout_StrikesBelowADeadlineOfAnotherClock(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	b := newBench()
	b.clock.Advance(100 * 365 * 24 * time.Hour)
	err := b.Run(ctx, func(ctx context.Context) error { return asyncio.Timeout(ctx, time.Second, sleepLong) })
	wantTimeout(t, "Timeout", err, "asyncio: timed out after 1s")
}
