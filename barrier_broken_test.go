package asyncio_test

import (
	"context"
	"errors"
	"testing"

	"github.com/asyncio-go/asyncio"
)

func TestBarrier_AbortWithoutWaiters(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(1)
		b.Abort()
		wantBarrier(t, b, 0, true)
		_, err := b.Wait(ctx)
		wantErr(t, err, wasAborted)
		if !errors.Is(err, asyncio.ErrBrokenBarrier) {
			t.Errorf("%v does not match ErrBrokenBarrier", err)
		}
		b.Abort()
		wantBarrier(t, b, 0, true)
		return nil
	})
}

func TestBarrier_AbortFailsWhoeverWaitsAndComes(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(3)
		s := &story{}
		tasks := atBarrier(ctx, b, s, "a", "b")
		turns(t, ctx, 1)
		b.Abort()
		wantBarrier(t, b, 0, true)
		tasks = append(tasks, atBarrier(ctx, b, s, "c")...)
		err := awaitEach(ctx, tasks...)
		s.want(t, "a: "+wasAborted, "b: "+wasAborted, "c: "+wasAborted)
		return err
	})
}

func TestBarrier_ResetWithoutWaiters(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(1)
		b.Reset()
		wantBarrier(t, b, 0, false)
		_, err := b.Wait(ctx)
		return err
	})
}

func TestBarrier_ResetFailsWhoeverWaits(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(3)
		s := &story{}
		tasks := atBarrier(ctx, b, s, "a", "b")
		turns(t, ctx, 1)
		b.Reset()
		wantBarrier(t, b, 0, false)
		again := atBarrier(ctx, b, s, "c", "d", "e")
		err := awaitEach(ctx, append(tasks, again...)...)
		s.want(t, "a: "+wasReset, "b: "+wasReset, "e is 2", "c is 0", "d is 1")
		wantBarrier(t, b, 0, false)
		return err
	})
}

func TestBarrier_ResetMendsABrokenOne(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(2)
		s := &story{}
		tasks := atBarrier(ctx, b, s, "a")
		turns(t, ctx, 1)
		b.Abort()
		b.Reset()
		wantBarrier(t, b, 0, false)
		err := awaitEach(ctx, append(tasks, atBarrier(ctx, b, s, "b", "c")...)...)
		s.want(t, "a: "+wasAborted, "c is 1", "b is 0")
		return err
	})
}

// Who was let go has passed, whatever happens to the barrier before it runs. In
// asyncio a reset or abort in that time broke those who had not left yet.
func TestBarrier_BrokenAfterTheLastArrival(t *testing.T) {
	for name, hit := range map[string]func(*asyncio.Barrier){"Abort": (*asyncio.Barrier).Abort, "Reset": (*asyncio.Barrier).Reset} {
		run(t, func(ctx context.Context) error {
			b := asyncio.NewBarrier(3)
			s := &story{}
			tasks := atBarrier(ctx, b, s, "a", "b")
			turns(t, ctx, 1)
			_, err := b.Wait(ctx)
			hit(b)
			err = errors.Join(err, awaitEach(ctx, tasks...))
			s.want(t, "a is 0", "b is 1")
			if got := b.Broken(); got != (name == "Abort") {
				t.Errorf("%s: Broken() = %v", name, got)
			}
			return err
		})
	}
}

// Half of the tasks that were let go wait again when the barrier is reset.
func TestBarrier_ResetWhileSomeWaitAgain(t *testing.T) {
	run(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(5)
		out, broken, last := 0, 0, 0
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			if _, err := b.Wait(ctx); err != nil {
				return err
			}
			if out++; out == 4 {
				b.Reset()
			}
			if _, err := b.Wait(ctx); errors.Is(err, asyncio.ErrBrokenBarrier) {
				broken++
				if _, err := b.Wait(ctx); err != nil { // so that there are five again
					return err
				}
			} else if err != nil {
				return err
			}
			last++
			return nil
		}, "a", "b", "c", "d", "e")
		err := awaitEach(ctx, tasks...)
		if broken != 3 || last != 5 {
			t.Errorf("%d were broken and %d came through, want 3 and 5", broken, last)
		}
		wantBarrier(t, b, 0, false)
		return err
	})
}

// A task that failed between two rounds aborts the barrier; the others, which
// wait for it, learn of it, meet at a second one and begin anew.
func TestBarrier_AbortedByOneThatFailsAndResetByAnother(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const parties = 5
		work, meet := asyncio.NewBarrier(parties), asyncio.NewBarrier(parties)
		broken, passed, through := 0, 0, 0
		round := func(ctx context.Context) error {
			index, err := work.Wait(ctx)
			if err == nil && index == parties/2 {
				work.Abort()
				return nil
			}
			if err == nil {
				_, err = work.Wait(ctx)
			}
			switch {
			case errors.Is(err, asyncio.ErrBrokenBarrier):
				broken++
			case err == nil:
				passed++
			default:
				return err
			}
			return nil
		}
		tasks := namedTasks(ctx, func(ctx context.Context, _ string) error {
			if err := round(ctx); err != nil {
				return err
			}
			index, err := meet.Wait(ctx)
			if err != nil {
				return err
			}
			if index == parties/2 {
				work.Reset()
			}
			if _, err := meet.Wait(ctx); err != nil {
				return err
			}
			_, err = work.Wait(ctx)
			through++
			return err
		}, "a", "b", "c", "d", "e")
		err := awaitEach(ctx, tasks...)
		if broken != parties-1 || passed != 0 || through != parties {
			t.Errorf("%d broken, %d passed, %d through; want 4, 0, 5", broken, passed, through)
		}
		wantBarrier(t, work, 0, false)
		return err
	})
}

// The call that breaks it may come from a callback, and who waits may be
// cancelled in the same turn: whichever comes first is what Wait returns.
func TestBarrier_AbortAndCancelInOneTurn(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		for _, abortFirst := range []bool{true, false} {
			b := asyncio.NewBarrier(2)
			s := &story{}
			tasks := atBarrier(ctx, b, s, "a")
			turns(t, ctx, 1)
			hits := []func(){b.Abort, func() { tasks[0].Cancel(nil) }}
			if !abortFirst {
				hits[0], hits[1] = hits[1], hits[0]
			}
			loop.CallSoon(hits[0])
			loop.CallSoon(hits[1])
			if err := awaitEach(ctx, tasks...); err != nil {
				return err
			}
			if abortFirst {
				s.want(t, "a: "+wasAborted)
			} else {
				s.want(t, "a: asyncio: cancelled")
			}
		}
		return nil
	})
}
