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

var errSplash = errors.New("splash")

// later is a function that sleeps for d and then returns v and err.
func later[T any](d time.Duration, v T, err error) func(context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		if err := asyncio.Sleep(ctx, d); err != nil {
			var zero T
			return zero, err
		}
		return v, err
	}
}

// dying is a function that sleeps until it is cancelled and takes d to clean up,
// after which it says so to s, and returns its cancellation.
func dying(s *story, name string, d time.Duration) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		err := sleepLong(ctx)
		_ = asyncio.Sleep(context.WithoutCancel(ctx), d)
		s.add("%s is gone", name)
		return 0, err
	}
}

func TestGather_ValuesComeInTheOrderOfTheFunctions(t *testing.T) {
	run(t, func(ctx context.Context) error {
		past := took(t, ctx, func() {
			got, err := asyncio.Gather(ctx, later(3*time.Second, "a", nil), later(time.Second, "b", nil), later(2*time.Second, "c", nil))
			if want := []string{"a", "b", "c"}; !slices.Equal(got, want) || err != nil {
				t.Errorf("Gather = %q, %v, want %q", got, err, want)
			}
		})
		if past != 3*time.Second {
			t.Errorf("it took %v, want the 3s of the slowest", past)
		}
		return nil
	})
}

func TestGather_OfNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		count := countTurns(ctx)
		before := count()
		values, err := asyncio.Gather[int](ctx)
		if values == nil || len(values) != 0 || err != nil {
			t.Errorf("Gather = %#v, %v, want an empty slice", values, err)
		}
		if results := asyncio.Settle[int](ctx); results == nil || len(results) != 0 {
			t.Errorf("Settle = %#v, want an empty slice", results)
		}
		if n := count() - before; n != 0 {
			t.Errorf("it took %d turns, want none", n)
		}
		return nil
	})
}

// The functions run in the next turn, and in the one after that Gather returns.
func TestGather_TakesTwoTurns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		count := countTurns(ctx)
		for _, n := range []int{1, 2, 100} {
			before := count()
			if _, err := asyncio.Gather(ctx, slices.Repeat([]func(context.Context) (int, error){taskAnswer}, n)...); err != nil {
				t.Error(err)
			}
			if got := count() - before; got != 2 {
				t.Errorf("Gather of %d took %d turns, want 2", n, got)
			}
		}
		return nil
	})
}

func TestGather_TheSameFunctionTwiceRunsTwice(t *testing.T) {
	run(t, func(ctx context.Context) error {
		calls := 0
		f := func(context.Context) (int, error) { calls++; return calls, nil }
		got, err := asyncio.Gather(ctx, f, f)
		if !slices.Equal(got, []int{1, 2}) {
			t.Errorf("Gather = %v, want [1 2]", got)
		}
		return err
	})
}

func TestGather_OneErrorIsReturnedAsItIsOnceTheOthersAreGone(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		past := took(t, ctx, func() {
			values, err := asyncio.Gather(ctx, dying(s, "slow", time.Minute), later(time.Second, 1, errBoom), later(0, 2, nil))
			s.add("returned")
			if values != nil || err != errBoom {
				t.Errorf("Gather = %v, %v, want nil and boom itself", values, err)
			}
		})
		if past != time.Minute+time.Second {
			t.Errorf("it took %v, want that of the cleanup too", past)
		}
		return asyncio.Yield(ctx) // the caller is not cancelled
	})
	s.want(t, "slow is gone", "returned")
}

func TestGather_SeveralErrorsComeInTheOrderInWhichTheyHappened(t *testing.T) {
	run(t, func(ctx context.Context) error {
		cleanup := func(ctx context.Context) (int, error) {
			_ = sleepLong(ctx)
			return 0, errSplash // such as the error of a rollback
		}
		_, err := asyncio.Gather(ctx, cleanup, later(time.Second, 1, errBoom), later(time.Hour, 2, nil))
		wantErr(t, err, "asyncio: 2 tasks failed:\n\tboom\n\tsplash")
		var group *asyncio.GroupError
		if !errors.As(err, &group) || !slices.Equal(group.Errs, []error{errBoom, errSplash}) {
			t.Errorf("error is %#v, want a GroupError of boom and splash", err)
		}
		if errors.Is(err, context.Canceled) {
			t.Error("the cancellation of the third one counts as a failure")
		}
		return nil
	})
}

// A sibling must not take the error for one of its own.
func TestGather_SiblingsAreCancelledWithACauseThatDoesNotMatchTheError(t *testing.T) {
	run(t, func(ctx context.Context) error {
		_, err := asyncio.Gather(ctx, taskFail, func(ctx context.Context) (int, error) {
			err := sleepLong(ctx)
			wantCancelled(t, "the sibling", err, nil)
			if errors.Is(err, errBoom) || errors.Is(context.Cause(ctx), errBoom) || !strings.Contains(err.Error(), "boom") {
				t.Errorf("the sibling's error is %v, which must name boom but not match it", err)
			}
			return 0, err
		})
		if err != errBoom {
			t.Errorf("Gather = %v, want boom", err)
		}
		return nil
	})
}

func TestGather_CancelledFromOutside(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			values, err := asyncio.Gather(ctx, dying(s, "a", time.Second), later(0, 7, nil), dying(s, "b", time.Minute))
			s.add("returned %v", values)
			wantCancelled(t, "Gather", err, errSplash)
			wantCancelled(t, "the next await", asyncio.Yield(ctx), errSplash)
			return err
		})
		turns(t, ctx, 3)
		task.Cancel(errSplash)
		_, err := task.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: splash")
		if task.State() != asyncio.Cancelled {
			t.Errorf("the task is %v, want cancelled", task.State())
		}
		return nil
	})
	s.want(t, "a is gone", "b is gone", "returned []")
}

func TestGather_CancelledBeforehandStartsNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c, cancel := asyncio.WithCancelCause(ctx)
		cancel(errSplash)
		never := func(context.Context) (int, error) { t.Error("a function was started"); return 0, nil }
		values, err := asyncio.Gather(c, never, never)
		wantErr(t, err, "asyncio: cancelled: splash")
		if values != nil {
			t.Errorf("values are %v, want none", values)
		}
		results := asyncio.Settle(c, never, never)
		if len(results) != 2 || results[0] != results[1] {
			t.Errorf("Settle = %v, want the same twice", results)
		}
		wantErr(t, results[0].Err, "asyncio: cancelled: splash")
		_, err = asyncio.Gather[int](c)
		wantErr(t, err, "asyncio: cancelled: splash")
		return asyncio.Yield(ctx)
	})
}

// In asyncio a gather refuses to be cancelled once all its children are done
// (test_cancel_gather_1); here what has happened is returned.
func TestGather_CancelledInTheTurnInWhichAllAreDone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var gathering *asyncio.Task[int]
		last := func(context.Context) (int, error) { gathering.Cancel(errSplash); return 2, nil }
		gathering = asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			values, err := asyncio.Gather(ctx, later(0, 1, nil), last)
			if !slices.Equal(values, []int{1, 2}) || err != nil {
				t.Errorf("Gather = %v, %v, want [1 2]", values, err)
			}
			wantCancelled(t, "the next await", asyncio.Yield(ctx), errSplash)
			return len(values), nil
		})
		if v, err := gathering.Await(ctx); v != 2 || err != nil {
			t.Errorf("the task has %v, %v", v, err)
		}
		return nil
	})
}

func TestGather_AFailureBeatsTheCancellationFromOutside(t *testing.T) {
	for name, failsFirst := range map[string]bool{"before it": true, "after it": false} {
		run(t, func(ctx context.Context) error {
			fails := func(ctx context.Context) (int, error) {
				if !failsFirst {
					_ = sleepLong(ctx)
				}
				return 0, errBoom
			}
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				_, err := asyncio.Gather(ctx, stubborn(time.Second, 1, nil), fails)
				if err != errBoom {
					t.Errorf("failed %s: Gather = %v, want boom", name, err)
				}
				wantCancelled(t, name, asyncio.Yield(ctx), nil)
				return nil
			})
			turns(t, ctx, 3)
			task.Cancel(nil)
			_, err := task.Await(ctx)
			return err
		})
	}
}

func TestGather_PanicGoesOnInTheCallerOnceTheOthersAreGone(t *testing.T) {
	for _, fn := range []string{"Gather", "Settle"} {
		noLeaks(t)
		s, b := &story{}, newBench()
		err := b.Run(t.Context(), func(ctx context.Context) (err error) {
			defer func() {
				pe, ok := recover().(*asyncio.PanicError)
				if !ok || pe.Value != "kaboom" || !strings.Contains(string(pe.Stack), "asyncio_test.explode") {
					t.Errorf("%s panicked with %v, want the PanicError of its task", fn, pe)
				}
				s.add("recovered")
				err = asyncio.Yield(ctx)
			}()
			panics := func(ctx context.Context) (int, error) {
				_ = asyncio.Sleep(ctx, time.Second)
				asyncio.Spawn(context.WithoutCancel(ctx), func(context.Context) (int, error) {
					s.add("reported %d", b.log.Count("ERROR asyncio: Task panicked"))
					return 0, nil
				})
				explode()
				return 0, nil
			}
			if fn == "Gather" {
				_, _ = asyncio.Gather(ctx, dying(s, "a", time.Minute), panics)
			} else {
				asyncio.Settle(ctx, dying(s, "a", time.Minute), panics)
			}
			s.add("returned")
			return err
		})
		if err != nil || len(b.log.Lines()) != 1 {
			t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
		}
		s.want(t, "reported 1", "a is gone", "recovered")
	}
}

func TestGather_NilFunctionPanicsBeforeAnythingIsStarted(t *testing.T) {
	run(t, func(ctx context.Context) error {
		started := func(context.Context) (int, error) { t.Error("a function was started"); return 0, nil }
		for fn, f := range map[string]func(){
			"Gather": func() { _, _ = asyncio.Gather(ctx, started, nil) },
			"Settle": func() { asyncio.Settle(ctx, started, nil) },
			"First":  func() { _, _ = asyncio.First(ctx, started, nil) },
		} {
			wantPanic(t, "asyncio: "+fn+": the function is nil; pass the function to call", f)
		}
		return asyncio.Yield(ctx)
	})
}

func TestGather_Nested(t *testing.T) {
	run(t, func(ctx context.Context) error {
		pair := func(err error) func(context.Context) (string, error) {
			return func(ctx context.Context) (string, error) {
				v, err := asyncio.Gather(ctx, later(time.Second, "x", nil), later(2*time.Second, "y", err))
				return strings.Join(v, ""), err
			}
		}
		values, err := asyncio.Gather(ctx, pair(nil), pair(nil))
		if !slices.Equal(values, []string{"xy", "xy"}) {
			t.Errorf("Gather = %v", values)
		}
		if _, err := asyncio.Gather(ctx, pair(nil), pair(errBoom)); err != errBoom {
			t.Errorf("the error came through two levels as %v, want boom itself", err)
		}
		return err
	})
}

// What a function started is cancelled when Gather returns: its ctx is of the
// bracket, as in a Group.
func TestGather_NothingOutlivesIt(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		var inner context.Context
		_, err := asyncio.Gather(context.WithValue(ctx, key{}, "v"), func(ctx context.Context) (int, error) {
			inner = ctx
			s.add("value %v", ctx.Value(key{}))
			asyncio.Go(ctx, func(ctx context.Context) error {
				err := sleepLong(ctx)
				s.add("straggler %v", err)
				return err
			})
			return 0, asyncio.Yield(ctx)
		})
		s.add("%v", inner.Err())
		turns(t, ctx, 1)
		return err
	})
	s.want(t, "value v", "context canceled", "straggler asyncio: cancelled")
}

func TestGather_InATimeout(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var inside []error
		sleeps := func(ctx context.Context) (int, error) {
			err := sleepLong(ctx)
			inside = append(inside, err)
			return 0, err
		}
		err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			_, err := asyncio.Gather(ctx, sleeps, sleeps)
			return err
		})
		wantTimeout(t, "Gather in a Timeout", err, "asyncio: timed out after 1s")
		for _, err := range inside {
			wantErr(t, err, "asyncio: cancelled by a deadline")
		}
		if len(inside) != 2 {
			t.Errorf("%d functions were cancelled, want 2", len(inside))
		}
		return nil
	})
}

func TestGather_AnySchedule(t *testing.T) {
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			var fs []func(context.Context) (int, error)
			var want []int
			for i := range 20 {
				fs, want = append(fs, later(time.Duration(i%4)*time.Second, i, nil)), append(want, i)
			}
			got, err := asyncio.Gather(ctx, fs...)
			if !slices.Equal(got, want) {
				t.Errorf("%s: Gather = %v, want %v", name, got, want)
			}
			fs[7] = later(time.Second, 0, errBoom)
			if _, err := asyncio.Gather(ctx, fs...); err != errBoom {
				t.Errorf("%s: Gather = %v, want boom", name, err)
			}
			return err
		})
	}
}

func TestGather_TenThousand(t *testing.T) {
	const n = 10_000
	run(t, func(ctx context.Context) error {
		fs := make([]func(context.Context) (string, error), n)
		for i := range fs {
			fs[i] = later(time.Duration(i*7919%n)*time.Millisecond, fmt.Sprint(i), nil)
		}
		values, err := asyncio.Gather(ctx, fs...)
		for i, v := range values {
			if v != fmt.Sprint(i) {
				t.Fatalf("value %d is %s", i, v)
			}
		}
		if len(values) != n {
			t.Errorf("%d values, want %d", len(values), n)
		}
		return err
	})
}
