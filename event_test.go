package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// eventWaiters are tasks that wait for v and tell the story when they go on.
func eventWaiters(ctx context.Context, v *asyncio.Event, s *story, names ...string) []*asyncio.Task[struct{}] {
	return namedTasks(ctx, func(ctx context.Context, name string) error {
		err := v.Wait(ctx)
		s.add("%s: %v", name, err)
		return err
	}, names...)
}

func TestEvent_ZeroValueIsNotSet(t *testing.T) {
	var v asyncio.Event
	wantString(t, &v, "<Event unset>")
	if v.IsSet() {
		t.Error("a new event is set")
	}
	v.Set()
	v.Set()
	wantString(t, &v, "<Event set>")
	if !v.IsSet() {
		t.Error("IsSet after Set is false")
	}
	v.Clear()
	v.Clear()
	if v.IsSet() {
		t.Error("IsSet after Clear is true")
	}
}

func TestEvent_SetWakesEverybodyInOrder(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v asyncio.Event
		s := &story{}
		tasks := eventWaiters(ctx, &v, s, "a", "b")
		turns(t, ctx, 3)
		s.want(t)
		wantString(t, &v, "<Event-1 unset waiters=2>")
		if got := tasks[1].WaitingFor(); got != v.String() {
			t.Errorf("b waits for %s", got)
		}
		late := eventWaiters(ctx, &v, s, "late") // finds it set, in its first step
		v.Set()
		wantString(t, &v, "<Event-1 set>")
		s.want(t) // Set does not run them
		turns(t, ctx, 1)
		s.want(t, "late: <nil>", "a: <nil>", "b: <nil>")
		return awaitEach(ctx, append(tasks, late...)...)
	})
}

func TestEvent_WaitOnASetEventDoesNotWait(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v asyncio.Event
		v.Set()
		now := countTurns(ctx)
		before := now()
		for range 3 {
			if err := v.Wait(ctx); err != nil {
				return err
			}
		}
		if n := now() - before; n != 0 || !v.IsSet() {
			t.Errorf("Wait took %d turns; IsSet() = %v", n, v.IsSet())
		}
		return nil
	})
}

func TestEvent_ClearMakesTheNextWait(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v asyncio.Event
		s := &story{}
		v.Set()
		v.Clear()
		tasks := eventWaiters(ctx, &v, s, "a")
		turns(t, ctx, 2)
		s.want(t)
		v.Set()
		err := awaitEach(ctx, tasks...)
		s.want(t, "a: <nil>")
		return err
	})
}

// Who was woken stays woken, also if the event is cleared before it runs.
func TestEvent_SetAndClearInOneTurnWakes(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v asyncio.Event
		s := &story{}
		tasks := eventWaiters(ctx, &v, s, "a", "b")
		turns(t, ctx, 1)
		v.Set()
		v.Clear()
		again := eventWaiters(ctx, &v, s, "c")
		turns(t, ctx, 2)
		s.want(t, "a: <nil>", "b: <nil>")
		wantString(t, &v, "<Event-1 unset waiters=1>")
		v.Set()
		v.Set()
		err := awaitEach(ctx, append(tasks, again...)...)
		s.want(t, "a: <nil>", "b: <nil>", "c: <nil>")
		return err
	})
}

// A woken task that waits again, for the next Set, is not woken by the same one.
func TestEvent_WakesOnceForEachSet(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v asyncio.Event
		woken := 0
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				if err := v.Wait(ctx); err != nil {
					return err
				}
				woken++
				v.Clear()
			}
		})
		turns(t, ctx, 1)
		for i := range 3 {
			v.Set()
			turns(t, ctx, 5)
			if woken != i+1 {
				t.Errorf("after %d calls of Set the task went on %d times", i+1, woken)
			}
		}
		task.Cancel(nil)
		_, err := task.Await(ctx)
		wantCancelled(t, "Wait", err, nil)
		return nil
	})
}

func TestEvent_CancelledWaiterLeaves(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		var v asyncio.Event
		s := &story{}
		tasks := eventWaiters(ctx, &v, s, "a", "b")
		turns(t, ctx, 1)
		loop.CallSoon(func() { tasks[0].Cancel(errBoom) })
		_, err := tasks[0].Await(ctx)
		wantCancelled(t, "Wait", err, errBoom)
		wantString(t, &v, "<Event-1 unset waiters=1>")
		v.Set()
		err = awaitEach(ctx, tasks[1])
		s.want(t, "a: asyncio: cancelled: boom", "b: <nil>")
		return err
	})
}

func TestEvent_SetAndCancelInOneTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, setFirst := range []bool{true, false} {
			var v asyncio.Event
			s := &story{}
			tasks := eventWaiters(ctx, &v, s, "a")
			turns(t, ctx, 1)
			if setFirst {
				v.Set()
				tasks[0].Cancel(nil)
			} else {
				tasks[0].Cancel(nil)
				v.Set()
			}
			turns(t, ctx, 2)
			if setFirst {
				s.want(t, "a: <nil>") // it happened
			} else {
				s.want(t, "a: asyncio: cancelled")
			}
		}
		return nil
	})
}

func TestEvent_WaitUnderACancelledContext(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v asyncio.Event
		v.Set()
		sub, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		wantCancelled(t, "Wait for a set event", v.Wait(sub), errBoom)
		return nil
	})
}

func TestEvent_Timeout(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var v asyncio.Event
		for range 2 {
			past := took(t, ctx, func() {
				wantTimeout(t, "Wait", asyncio.Timeout(ctx, time.Second, v.Wait), "asyncio: timed out after 1s")
			})
			if past != time.Second {
				t.Errorf("it took %v", past)
			}
		}
		wantString(t, &v, "<Event-1 unset>")
		return nil
	})
}

func TestEvent_SetFromACallbackAndFromAGoroutine(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		var v asyncio.Event
		loop.CallLater(time.Second, v.Set)
		if err := v.Wait(ctx); err != nil {
			return err
		}
		v.Clear()
		go loop.CallSoon(v.Set)
		return v.Wait(ctx)
	})
}

func TestEvent_AWakerMayDropTheLastReference(t *testing.T) {
	run(t, func(ctx context.Context) error {
		wait := func() *asyncio.Task[struct{}] {
			v := &asyncio.Event{}
			task := asyncio.Go(ctx, v.Wait)
			asyncio.Go(ctx, func(context.Context) error { v.Set(); return nil })
			return task
		}
		return errors.Join(awaitEach(ctx, wait(), wait()))
	})
}
