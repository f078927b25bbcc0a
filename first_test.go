package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestFirst_TheFastestWins(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		past := took(t, ctx, func() {
			v, err := asyncio.First(ctx, dying(s, "loser", 0), later(time.Second, 7, nil), dying(s, "other", 0))
			s.add("%d %v", v, err)
		})
		if past != time.Second {
			t.Errorf("it took %v, want 1s", past)
		}
		return asyncio.Yield(ctx)
	})
	s.want(t, "loser is gone", "other is gone", "7 <nil>")
}

func TestFirst_WaitsForTheLosers(t *testing.T) {
	run(t, func(ctx context.Context) error {
		past := took(t, ctx, func() {
			v, err := asyncio.First(ctx, later(time.Second, 1, nil), stubborn(time.Minute, 2, nil))
			if v != 1 || err != nil {
				t.Errorf("First = %v, %v, want 1, of whom succeeded first", v, err)
			}
		})
		if past != time.Minute {
			t.Errorf("it took %v, want 1m", past)
		}
		return nil
	})
}

func TestFirst_LosersKnowWhy(t *testing.T) {
	run(t, func(ctx context.Context) error {
		_, err := asyncio.First(ctx, taskAnswer, func(ctx context.Context) (int, error) {
			err := sleepLong(ctx)
			wantErr(t, err, "asyncio: cancelled: another function has succeeded")
			return 0, err
		})
		return err
	})
}

func TestFirst_FailuresBesideASuccessAreDropped(t *testing.T) {
	run(t, func(ctx context.Context) error {
		v, err := asyncio.First(ctx,
			taskFail,
			later(time.Second, 0, errSplash),
			func(ctx context.Context) (int, error) { _ = sleepLong(ctx); return 0, errBoom },
			later(2*time.Second, 5, nil))
		if v != 5 || err != nil {
			t.Errorf("First = %v, %v, want 5", v, err)
		}
		return nil
	})
}

func TestFirst_AllFail(t *testing.T) {
	run(t, func(ctx context.Context) error {
		v, err := asyncio.First(ctx, later(time.Second, 1, errBoom))
		if v != 0 || err != errBoom {
			t.Errorf("First = %v, %v, want 0 and boom itself", v, err)
		}
		_, err = asyncio.First(ctx, later(2*time.Second, 1, errBoom), later(time.Second, 2, errSplash))
		wantErr(t, err, "asyncio: 2 tasks failed:\n\tsplash\n\tboom")
		return asyncio.Yield(ctx)
	})
}

func TestFirst_OfNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		_, err := asyncio.First[int](ctx)
		wantErr(t, err, "asyncio: First: none of the functions has succeeded, because none was given; pass at least one")
		return nil
	})
}

func TestFirst_OfSeveralInOneTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		v, err := asyncio.First(ctx, later(0, "a", nil), later(0, "b", nil))
		if v != "a" {
			t.Errorf("First = %v, want a, which ended first", v)
		}
		return err
	})
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			v, err := asyncio.First(ctx, taskFail, later(time.Second, 1, nil), later(time.Second, 2, nil), later(time.Hour, 3, nil))
			if v != 1 && v != 2 {
				t.Errorf("%s: First = %v, want 1 or 2", name, v)
			}
			return err
		})
	}
}

// A zero value is a success like any other.
func TestFirst_ZeroValueWins(t *testing.T) {
	run(t, func(ctx context.Context) error {
		v, err := asyncio.First(ctx, later[*int](time.Second, nil, nil), later(time.Minute, new(int), nil))
		if v != nil {
			t.Errorf("First = %v, want nil", v)
		}
		return err
	})
}

func TestFirst_CancelledFromOutside(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			v, err := asyncio.First(ctx, dying(s, "a", time.Second), dying(s, "b", time.Minute))
			s.add("returned %d", v)
			return err
		})
		turns(t, ctx, 2)
		task.Cancel(errBoom)
		_, err := task.Await(ctx)
		wantErr(t, err, "asyncio: cancelled: boom")
		if task.State() != asyncio.Cancelled {
			t.Errorf("the task is %v, want cancelled", task.State())
		}
		return nil
	})
	s.want(t, "a is gone", "b is gone", "returned 0")
}

func TestFirst_CancelledBeforehandStartsNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		_, err := asyncio.First(c, func(context.Context) (int, error) { t.Error("it was started"); return 0, nil })
		wantErr(t, err, "asyncio: cancelled: boom")
		return nil
	})
}

// Happened or not: who succeeds although it is cancelled has succeeded.
func TestFirst_ASuccessAfterTheCancellationIsReturned(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			v, err := asyncio.First(ctx, taskNap, stubborn(time.Second, 8, nil))
			if v != 8 || err != nil {
				t.Errorf("First = %v, %v, want 8", v, err)
			}
			wantCancelled(t, "the next await", asyncio.Yield(ctx), errBoom)
			return v, err
		})
		turns(t, ctx, 2)
		task.Cancel(errBoom)
		v, err := task.Await(ctx)
		if v != 8 {
			t.Errorf("the task has %v", v)
		}
		return err
	})
}

// As in a Group, a failure is told rather than the cancellation, which the next
// await tells.
func TestFirst_FailureAndCancellationFromOutside(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.First(ctx, taskFail, taskNap)
			if err != errBoom {
				t.Errorf("First = %v, want boom", err)
			}
			return asyncio.Yield(ctx)
		})
		turns(t, ctx, 3)
		task.Cancel(errSplash)
		_, err := task.Await(ctx)
		wantCancelled(t, "the task", err, errSplash)
		return nil
	})
}

func TestFirst_InATimeout(t *testing.T) {
	run(t, func(ctx context.Context) error {
		_, err := asyncio.WaitFor(ctx, time.Second, func(ctx context.Context) (int, error) {
			return asyncio.First(ctx, taskNap, taskNap)
		})
		wantTimeout(t, "First in WaitFor", err, "asyncio: timed out after 1s")
		// And the other way round: each has a timeout of its own.
		impatient := func(ctx context.Context) (int, error) { return asyncio.WaitFor(ctx, time.Second, taskNap) }
		v, err := asyncio.First(ctx, impatient, later(time.Minute, 4, nil))
		if v != 4 {
			t.Errorf("First = %v, %v, want 4", v, err)
		}
		_, errs := asyncio.First(ctx, impatient, impatient)
		wantErr(t, errs, "asyncio: 2 tasks failed:\n\tasyncio: timed out after 1s\n\tasyncio: timed out after 1s")
		if !errors.Is(errs, asyncio.ErrTimeout) {
			t.Errorf("%v does not match ErrTimeout", errs)
		}
		return err
	})
}

func TestFirst_PanicIsPassedOnEvenIfAnotherSucceeded(t *testing.T) {
	for name, won := range map[string]bool{"after a success": true, "before": false} {
		noLeaks(t)
		b, s := newBench(), &story{}
		err := b.Run(t.Context(), func(ctx context.Context) error {
			got := panicOf(func() {
				_, _ = asyncio.First(ctx, func(ctx context.Context) (int, error) {
					if won {
						_ = sleepLong(ctx) // until the other has won
					} else {
						turns(t, ctx, 1)
					}
					panic("kaboom")
				}, later(time.Second, 1, nil), dying(s, "bystander", time.Minute))
			})
			if want := "asyncio: Task-1-1 panicked: kaboom\n\n"; len(got) < len(want) || got[:len(want)] != want {
				t.Errorf("%s: panic is %s", name, got)
			}
			return asyncio.Yield(ctx)
		})
		s.want(t, "bystander is gone")
		if err != nil || len(b.log.Lines()) != 1 || b.log.Count("ERROR asyncio: Task panicked") != 1 {
			t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
		}
	}
}

// Staggered starts, as the connection attempts of happy eyeballs: each begins
// when the one before has failed, or after a while.
func TestFirst_Staggered(t *testing.T) {
	for want, slow := range map[string][]time.Duration{
		"0 after 200ms": {200 * time.Millisecond, 400 * time.Millisecond, time.Hour},
		"1 after 300ms": {time.Hour, 50 * time.Millisecond, 50 * time.Millisecond},
		"2 after 550ms": {time.Hour, time.Hour, 50 * time.Millisecond},
	} {
		run(t, func(ctx context.Context) error {
			var fs []func(context.Context) (int, error)
			for i, d := range slow {
				fs = append(fs, func(ctx context.Context) (int, error) {
					if err := asyncio.Sleep(ctx, time.Duration(i)*250*time.Millisecond); err != nil {
						return 0, err
					}
					return later(d, i, nil)(ctx)
				})
			}
			var v int
			var err error
			past := took(t, ctx, func() { v, err = asyncio.First(ctx, fs...) })
			if got := fmt.Sprintf("%d after %v", v, past); got != want {
				t.Errorf("First: %s, want %s", got, want)
			}
			return err
		})
	}
}

func TestFirst_Nested(t *testing.T) {
	var order []int
	run(t, func(ctx context.Context) error {
		note := func(i int) func(context.Context) (int, error) {
			return func(ctx context.Context) (int, error) {
				defer func() { order = append(order, i) }()
				return later(time.Duration(i)*time.Second, i, nil)(ctx)
			}
		}
		inner := func(i int) func(context.Context) (int, error) {
			return func(ctx context.Context) (int, error) { return asyncio.First(ctx, note(i), note(i+1)) }
		}
		v, err := asyncio.First(ctx, inner(3), inner(1))
		if v != 1 {
			t.Errorf("First = %d, want 1", v)
		}
		return err
	})
	if slices.Sort(order); !slices.Equal(order, []int{1, 2, 3, 4}) {
		t.Errorf("%v have ended, want all four", order)
	}
}
