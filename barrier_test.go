package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

const (
	wasAborted = "asyncio: Barrier.Wait: broken barrier: the barrier was aborted"
	wasReset   = "asyncio: Barrier.Wait: broken barrier: the barrier was reset"
)

// atBarrier are tasks that wait at b and tell the story how it went.
func atBarrier(ctx context.Context, b *asyncio.Barrier, s *story, names ...string) []*asyncio.Task[struct{}] {
	return namedTasks(ctx, func(ctx context.Context, name string) error {
		index, err := b.Wait(ctx)
		if err != nil {
			s.add("%s: %v", name, err)
			return nil
		}
		s.add("%s is %d", name, index)
		return nil
	}, names...)
}

func wantBarrier(t *testing.T, b *asyncio.Barrier, waiting int, broken bool) {
	t.Helper()
	if b.Waiting() != waiting || b.Broken() != broken {
		t.Errorf("%d tasks wait, broken=%v; want %d, %v", b.Waiting(), b.Broken(), waiting, broken)
	}
}

func TestBarrier_NeedsAParty(t *testing.T) {
	const text = ": nobody could pass it; give at least 1"
	wantPanic(t, "asyncio: NewBarrier(0)"+text, func() { asyncio.NewBarrier(0) })
	wantPanic(t, "asyncio: NewBarrier(-4)"+text, func() { asyncio.NewBarrier(-4) })
	b := asyncio.NewBarrier(5)
	wantBarrier(t, b, 0, false)
	if b.Parties() != 5 {
		t.Errorf("Parties() = %d", b.Parties())
	}
}

func TestBarrier_LetsAllGoWhenTheLastHasCome(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(3)
		s := &story{}
		var tasks []*asyncio.Task[struct{}]
		for i, name := range []string{"a", "b", "c"} {
			wantBarrier(t, b, i, false)
			s.want(t)
			tasks = append(tasks, atBarrier(ctx, b, s, name)...)
			turns(t, ctx, 1)
		}
		err := awaitEach(ctx, tasks...)
		s.want(t, "c is 2", "a is 0", "b is 1") // the last does not wait
		wantBarrier(t, b, 0, false)
		return err
	})
}

func TestBarrier_OfOneNeverWaits(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(1)
		now := countTurns(ctx)
		before := now()
		for range 2 {
			if index, err := b.Wait(ctx); index != 0 || err != nil {
				t.Errorf("Wait = %d, %v", index, err)
			}
			wantBarrier(t, b, 0, false)
		}
		if n := now() - before; n != 0 {
			t.Errorf("it took %d turns", n)
		}
		return nil
	})
}

// Rounds do not mix, whoever runs first: nobody begins a round before all have
// begun the one before, and each round has every index once.
func TestBarrier_BeginsAnew(t *testing.T) {
	noLeaks(t)
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			const parties, rounds = 5, 6
			b := asyncio.NewBarrier(parties)
			var indexes [rounds][]int
			tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
				for round := range rounds {
					if round > 0 && len(indexes[round-1]) == 0 {
						t.Errorf("%s: a task is in round %d before anybody has ended the last one", name, round)
					}
					index, err := b.Wait(ctx)
					if err != nil {
						return err
					}
					indexes[round] = append(indexes[round], index)
				}
				return nil
			}, "a", "b", "c", "d", "e")
			err := awaitEach(ctx, tasks...)
			for round, got := range indexes {
				if slices.Sort(got); !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
					t.Errorf("%s: round %d had the indexes %v", name, round, got)
				}
			}
			wantBarrier(t, b, 0, false)
			return err
		})
	}
}

// Who comes between the last arrival and the moment the others run waits for the
// next round, and keeps nobody from leaving this one.
func TestBarrier_ArrivalsWhileTheOthersLeave(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(2)
		s := &story{}
		tasks := atBarrier(ctx, b, s, "a", "b", "c")
		turns(t, ctx, 1)
		s.want(t, "b is 1")
		wantBarrier(t, b, 1, false)
		turns(t, ctx, 1)
		s.want(t, "b is 1", "a is 0")
		tasks = append(tasks, atBarrier(ctx, b, s, "d")...)
		err := awaitEach(ctx, tasks...)
		s.want(t, "b is 1", "a is 0", "d is 1", "c is 0")
		return err
	})
}

// Some of the tasks meet at another barrier before they come back.
func TestBarrier_TwoBarriersInterleaved(t *testing.T) {
	run(t, func(ctx context.Context) error {
		all, some := asyncio.NewBarrier(5), asyncio.NewBarrier(3)
		rewait := 2
		met := 0
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			if _, err := all.Wait(ctx); err != nil {
				return err
			}
			if rewait > 0 {
				rewait--
			} else if _, err := some.Wait(ctx); err != nil {
				return err
			} else {
				met++
			}
			_, err := all.Wait(ctx)
			return err
		}, "a", "b", "c", "d", "e")
		err := awaitEach(ctx, tasks...)
		if met != 3 {
			t.Errorf("%d tasks met at the second barrier, want 3", met)
		}
		return err
	})
}

func TestBarrier_CancelledWaiterDoesNotCount(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(3)
		s := &story{}
		tasks := atBarrier(ctx, b, s, "a", "b")
		turns(t, ctx, 1)
		tasks[0].Cancel(errBoom)
		wantBarrier(t, b, 1, false)
		if err := awaitEach(ctx, tasks[0]); err != nil {
			return err
		}
		s.want(t, "a: asyncio: cancelled: boom")
		tasks = append(tasks, atBarrier(ctx, b, s, "c")...)
		turns(t, ctx, 2)
		wantBarrier(t, b, 2, false)
		tasks = append(tasks, atBarrier(ctx, b, s, "d")...)
		err := awaitEach(ctx, tasks...)
		s.want(t, "a: asyncio: cancelled: boom", "d is 2", "b is 0", "c is 1")
		wantBarrier(t, b, 0, false)
		return err
	})
}

func TestBarrier_LastArrivalAndCancelInOneTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(2)
		s := &story{}
		tasks := atBarrier(ctx, b, s, "a")
		turns(t, ctx, 1)
		if index, err := b.Wait(ctx); index != 1 || err != nil {
			t.Errorf("Wait = %d, %v", index, err)
		}
		tasks[0].Cancel(nil) // too late: it has passed
		if err := awaitEach(ctx, tasks...); err != nil {
			return err
		}
		s.want(t, "a is 0")

		tasks = atBarrier(ctx, b, s, "b")
		turns(t, ctx, 1)
		tasks[0].Cancel(nil)
		late := atBarrier(ctx, b, s, "c")
		turns(t, ctx, 3)
		s.want(t, "a is 0", "b: asyncio: cancelled")
		wantBarrier(t, b, 1, false)
		_, err := b.Wait(ctx)
		return errors.Join(err, awaitEach(ctx, late...))
	})
}

func TestBarrier_WaitUnderACancelledContext(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(1)
		sub, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		_, err := b.Wait(sub)
		wantCancelled(t, "Wait", err, errBoom)
		wantTimeout(t, "Wait", asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			_, err := asyncio.NewBarrier(2).Wait(ctx)
			return err
		}), "asyncio: timed out after 1s")
		return nil
	})
}

// Some leave in every round; the barrier opens exactly for groups of its size.
func TestBarrier_CountsRightWhoeverIsCancelled(t *testing.T) {
	noLeaks(t)
	for seed := range uint64(60) {
		chosen(t, seededChooser(seed), func(ctx context.Context) error {
			r := rand.New(rand.NewPCG(seed, 4))
			b := asyncio.NewBarrier(3)
			passed, cancelled := 0, 0
			var tasks []*asyncio.Task[struct{}]
			for range 40 {
				tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
					index, err := b.Wait(ctx)
					if err != nil {
						cancelled++
						return nil
					}
					if passed++; index < 0 || index > 2 {
						t.Errorf("seed %d: index %d", seed, index)
					}
					return nil
				}))
				turns(t, ctx, r.IntN(3))
				if r.IntN(3) == 0 {
					tasks[r.IntN(len(tasks))].Cancel(nil)
				}
			}
			turns(t, ctx, 3)
			born := 0 // cancelled before they ran
			for _, task := range tasks {
				if task.State() == asyncio.Cancelled {
					born++
				}
			}
			if passed%3 != 0 || passed == 0 || passed+cancelled+born+b.Waiting() != 40 || b.Waiting() > 2 {
				t.Errorf("seed %d: %d passed, %d+%d cancelled, %d wait", seed, passed, cancelled, born, b.Waiting())
			}
			b.Abort()
			return awaitEach(ctx, slices.DeleteFunc(tasks, func(task *asyncio.Task[struct{}]) bool { return task.Done() })...)
		})
	}
}

func TestBarrier_String(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(3)
		wantString(t, b, "<Barrier parties=3>")
		tasks := atBarrier(ctx, b, &story{}, "a", "b")
		turns(t, ctx, 1)
		wantString(t, b, "<Barrier-1 parties=3 waiters=2>")
		if got := tasks[1].WaitingFor(); got != fmt.Sprint(b) {
			t.Errorf("b waits for %s", got)
		}
		b.Abort()
		wantString(t, b, "<Barrier-1 broken>")
		b.Reset()
		wantString(t, b, "<Barrier-1 parties=3>")
		return awaitEach(ctx, tasks...)
	})
}
