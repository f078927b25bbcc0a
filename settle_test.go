package asyncio_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// outcomes are results on one line.
func outcomes[T any](results []asyncio.Result[T]) string {
	text := ""
	for _, r := range results {
		text += fmt.Sprintf("[%v %v]", r.Value, r.Err)
	}
	return text
}

func TestSettle_AnErrorCancelsNobody(t *testing.T) {
	run(t, func(ctx context.Context) error {
		past := took(t, ctx, func() {
			got := outcomes(asyncio.Settle(ctx, later(3*time.Second, 1, nil), later(time.Second, 2, errBoom), later(0, 3, errSplash)))
			if want := "[1 <nil>][2 boom][3 splash]"; got != want {
				t.Errorf("Settle = %s, want %s", got, want)
			}
		})
		if past != 3*time.Second {
			t.Errorf("it took %v, want 3s", past)
		}
		return asyncio.Yield(ctx)
	})
}

// One that is cancelled is one result among others, as with asyncio's
// return_exceptions (test_one_cancellation).
func TestSettle_OneThatCancelsItself(t *testing.T) {
	run(t, func(ctx context.Context) error {
		results := asyncio.Settle(ctx, later(time.Second, 1, nil), func(ctx context.Context) (int, error) {
			asyncio.CurrentTask(ctx).Cancel(errSplash)
			return 2, asyncio.Yield(ctx)
		}, later(2*time.Second, 3, nil))
		if got, want := outcomes(results), "[1 <nil>][2 asyncio: cancelled: splash][3 <nil>]"; got != want {
			t.Errorf("Settle = %s, want %s", got, want)
		}
		wantCancelled(t, "the second", results[1].Err, errSplash)
		return nil
	})
}

func TestSettle_CancelledFromOutsideWaitsForAll(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			results := asyncio.Settle(ctx, later(0, 1, nil), dying(s, "a", time.Minute), stubborn(2*time.Minute, 3, nil))
			s.add("%s", outcomes(results))
			wantCancelled(t, "the second", results[1].Err, errBoom)
			return asyncio.Yield(ctx)
		})
		turns(t, ctx, 3)
		task.Cancel(errBoom)
		_, err := task.Await(ctx)
		wantCancelled(t, "the task", err, errBoom)
		return nil
	})
	s.want(t, "a is gone", "[1 <nil>][0 asyncio: cancelled: boom][3 <nil>]")
}

func TestSettle_ErrorsAreRetrieved(t *testing.T) {
	noLeaks(t)
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Settle(ctx, taskFail, taskFail)
		_, _ = asyncio.Gather(ctx, taskFail, later(time.Second, 0, errSplash))
		return nil
	})
	if err != nil || b.log.Text() != "" {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

// The shield is within: the cancellation passes it by, as in asyncio's
// test_gather_shield.
func TestGather_OfShields(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		shielded := func(name string, d time.Duration) func(context.Context) (int, error) {
			return func(ctx context.Context) (int, error) {
				v, err := asyncio.Shield(ctx, later(d, 1, nil))
				s.add("%s %d", name, v)
				return v, err
			}
		}
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Gather(ctx, shielded("a", time.Second), shielded("b", time.Minute))
			return err
		})
		turns(t, ctx, 2)
		task.Cancel(errBoom)
		_, err := task.Await(ctx)
		wantCancelled(t, "the task", err, errBoom)
		return nil
	})
	s.want(t, "a 1", "b 1")
}

// The shield is around, as in asyncio's test_shield_gather.
func TestGather_InAShield(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, func(ctx context.Context) ([]int, error) {
			return asyncio.Shield(ctx, func(ctx context.Context) ([]int, error) {
				return asyncio.Gather(ctx, later(time.Second, 1, nil), later(time.Minute, 2, nil))
			})
		})
		turns(t, ctx, 2)
		task.Cancel(errBoom)
		values, err := task.Await(ctx)
		if fmt.Sprint(values) != "[1 2]" {
			t.Errorf("values are %v, want [1 2]", values)
		}
		wantCancelled(t, "the task", err, errBoom)
		return nil
	})
}

// A generator is taken from by one at a time; tasks that are gathered may each
// have their own.
func TestGather_OfGenerators(t *testing.T) {
	run(t, func(ctx context.Context) error {
		sum := func(ctx context.Context) (total int, err error) {
			for v, err := range countTo(ctx, 4).All(ctx) {
				if err != nil {
					return total, err
				}
				total += v
			}
			return total, nil
		}
		values, err := asyncio.Gather(ctx, sum, sum, sum)
		if len(values) != 3 || values[0] != values[1] || values[1] != values[2] || values[0] == 0 {
			t.Errorf("Gather = %v, want three times the same sum", values)
		}
		return err
	})
}

// Joins are no cancellation points: a second and third cancellation does not
// make Gather leave its tasks behind.
func TestGather_CancelledAgainAndAgainStillWaits(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		inner, cancelInner := asyncio.WithCancelCause(ctx)
		task := asyncio.Go(inner, func(ctx context.Context) error {
			_, err := asyncio.Gather(ctx, dying(s, "child", time.Hour))
			s.add("returned")
			return err
		})
		for _, cancel := range []func(){func() { task.Cancel(errBoom) }, func() { cancelInner(errSplash) }, func() { task.Cancel(nil) }} {
			turns(t, ctx, 2)
			cancel()
		}
		_, err := task.Await(ctx)
		wantCancelled(t, "the first cause stays", err, errBoom)
		return nil
	})
	s.want(t, "child is gone", "returned")
}

// A failure and a cancellation from outside in one turn, in either order: the
// failure is told, and what comes next is cancelled.
func TestGather_FailureAndCancellationInOneTurn(t *testing.T) {
	for _, failsFirst := range []bool{true, false} {
		run(t, func(ctx context.Context) error {
			var task *asyncio.Task[struct{}]
			fails := func(ctx context.Context) (int, error) { turns(t, ctx, 1); return 0, errBoom }
			cancels := func(ctx context.Context) (int, error) {
				turns(t, ctx, 1)
				task.Cancel(errSplash)
				return 0, asyncio.Yield(ctx)
			}
			fs := []func(context.Context) (int, error){cancels, fails}
			if failsFirst {
				fs = []func(context.Context) (int, error){fails, cancels}
			}
			task = asyncio.Go(ctx, func(ctx context.Context) error {
				if _, err := asyncio.Gather(ctx, fs...); err != errBoom {
					t.Errorf("failsFirst=%v: Gather = %v, want boom", failsFirst, err)
				}
				wantCancelled(t, "the next await", asyncio.Yield(ctx), errSplash)
				return nil
			})
			_, err := task.Await(ctx)
			return err
		})
	}
}

// A gather obeys the ctx that it is given, whatever kind that is.
func TestGather_ObeysItsContext(t *testing.T) {
	run(t, func(ctx context.Context) error {
		s := &story{}
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Gather(context.WithoutCancel(ctx), later(time.Second, 1, nil))
			s.add("%v", err)
			std, cancel := context.WithCancelCause(context.WithValue(context.WithoutCancel(ctx), key{}, 1))
			asyncio.Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, time.Second)
				cancel(errSplash)
				return err
			})
			_, err = asyncio.Gather(std, dying(s, "child", time.Second))
			s.add("%v", err)
			return asyncio.Yield(ctx)
		})
		turns(t, ctx, 2)
		task.Cancel(errBoom)
		_, err := task.Await(ctx)
		wantCancelled(t, "the task", err, errBoom)
		s.want(t, "<nil>", "child is gone", "asyncio: cancelled: splash")
		return nil
	})
}
