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

// nappers are tasks that sleep for the given seconds and then return them.
func nappers(ctx context.Context, seconds ...int) []*asyncio.Task[int] {
	var ts []*asyncio.Task[int]
	for _, s := range seconds {
		ts = append(ts, asyncio.Spawn(ctx, later(time.Duration(s)*time.Second, s, nil)))
	}
	return ts
}

// drain goes through an iterator of results to its end and notes each.
func drain(s *story, results func(func(int, error) bool)) {
	for v, err := range results {
		s.add("%d %v", v, err)
	}
}

func TestAsCompleted_ComesInTheOrderOfCompletion(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		past := took(t, ctx, func() { drain(s, asyncio.AsCompleted(ctx, nappers(ctx, 3, 1, 2)...)) })
		if past != 3*time.Second {
			t.Errorf("it took %v, want 3s", past)
		}
		return nil
	})
	s.want(t, "1 <nil>", "2 <nil>", "3 <nil>")
}

func TestAsCompleted_ErrorsCancellationsAndPanicsAreResults(t *testing.T) {
	noLeaks(t)
	s, b := &story{}, newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		gone := asyncio.Spawn(ctx, taskNap)
		failed := asyncio.Spawn(ctx, later(2*time.Second, 9, errBoom))
		panics := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			_ = asyncio.Sleep(ctx, time.Second)
			explode()
			return 0, nil
		})
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, 3*time.Second)
			gone.Cancel(errSplash)
			return err
		})
		for v, err := range asyncio.AsCompleted(ctx, gone, failed, panics) {
			line, _, _ := strings.Cut(fmt.Sprint(err), "\n")
			s.add("%d %s", v, line)
			var pe *asyncio.PanicError
			if errors.As(err, &pe) != (panics.State() == asyncio.Panicked && !failed.Done()) {
				t.Errorf("error is %v", err)
			}
		}
		return nil
	})
	s.want(t, "0 asyncio: Task-1-3 panicked: kaboom", "9 boom", "0 asyncio: cancelled: splash")
	if err != nil || len(b.log.Lines()) != 1 { // of the panic, at once; the error was retrieved
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestAsCompleted_DoneBeforeComeFirstAndAtOnce(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		ts := nappers(ctx, 4, 2, 1, 3)
		_, _ = ts[1].Await(ctx) // 1 and 2 are done, 1 first
		count := countTurns(ctx)
		before := count()
		for v, err := range asyncio.AsCompleted(ctx, ts...) {
			s.add("%d %v after %d turns", v, err, count()-before)
			if v == 1 {
				break
			}
		}
		return nil
	})
	s.want(t, "2 <nil> after 0 turns", "1 <nil> after 0 turns") // in the order in which they were given
}

func TestAsCompleted_OfNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for v, err := range asyncio.AsCompleted[int](ctx) {
			t.Errorf("a result of nothing: %v, %v", v, err)
		}
		c, cancel := asyncio.WithCancel(ctx)
		cancel()
		for v, err := range asyncio.AsCompleted[int](c) {
			t.Errorf("a result of nothing, cancelled: %v, %v", v, err)
		}
		return nil
	})
}

func TestAsCompleted_BreakCancelsNobody(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ts := nappers(ctx, 1, 2)
		for v, err := range asyncio.AsCompleted(ctx, ts...) {
			if v != 1 || err != nil {
				t.Errorf("got %v, %v", v, err)
			}
			break
		}
		v, err := ts[1].Await(ctx)
		if v != 2 {
			t.Errorf("the second has %v, %v", v, err)
		}
		return err
	})
}

func TestAsCompleted_CancelledEndsWithTheCancellation(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		ts := nappers(ctx, 1, 20)
		task := asyncio.Go(ctx, func(ctx context.Context) error { drain(s, asyncio.AsCompleted(ctx, ts...)); return asyncio.Yield(ctx) })
		_ = asyncio.Sleep(ctx, 5*time.Second)
		task.Cancel(errBoom)
		_, err := task.Await(ctx)
		wantCancelled(t, "the consumer", err, errBoom)
		s.add("%v", ts[1].State())
		return nil
	})
	s.want(t, "1 <nil>", "0 asyncio: cancelled: boom", "waiting")
}

// Also where the next result is there already: cancellation is level-triggered.
func TestAsCompleted_CancelledWhileTheLoopBodyRuns(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		ts := nappers(ctx, 1, 1, 1)
		for _, x := range ts {
			_, _ = x.Await(ctx)
		}
		c, cancel := asyncio.WithCancelCause(ctx)
		for v, err := range asyncio.AsCompleted(c, ts...) {
			s.add("%d %v", v, err)
			cancel(errSplash)
		}
		return asyncio.Yield(ctx)
	})
	s.want(t, "1 <nil>", "0 asyncio: cancelled: splash")
}

// asyncio's as_completed(timeout=): the rest fails with the timeout, and the tasks go on.
func TestAsCompleted_InATimeout(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		ts := nappers(ctx, 1, 2, 60)
		err := asyncio.Timeout(ctx, 5*time.Second, func(ctx context.Context) error {
			for v, err := range asyncio.AsCompleted(ctx, ts...) {
				if err != nil {
					return err
				}
				s.add("%d", v)
			}
			return nil
		})
		wantTimeout(t, "AsCompleted", err, "asyncio: timed out after 5s")
		v, err := ts[2].Await(ctx)
		s.add("%d", v)
		return err
	})
	s.want(t, "1", "2", "60")
}

// asyncio's test_as_completed_resume_iterator, the other way: here a second use
// begins anew, with what is done by then.
func TestAsCompleted_IsUsedAgain(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		results := asyncio.AsCompleted(ctx, nappers(ctx, 3, 1, 2)...)
		for v := range results {
			s.add("%d", v)
			if v == 2 {
				break
			}
		}
		s.add("again")
		for v := range results {
			s.add("%d", v)
		}
		s.add("and again")
		for v := range results {
			s.add("%d", v)
		}
		return nil
	})
	s.want(t, "1", "2", "again", "1", "2", "3", "and again", "3", "1", "2")
}

// asyncio's test_as_completed_concurrent; here each consumer has all results.
func TestAsCompleted_ConcurrentConsumers(t *testing.T) {
	stories := [3]*story{{}, {}, {}}
	run(t, func(ctx context.Context) error {
		results := asyncio.AsCompleted(ctx, nappers(ctx, 2, 1)...)
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, s := range stories {
				g.Go(func(context.Context) error { drain(s, results); return nil })
			}
			return nil
		})
	})
	for _, s := range stories {
		s.want(t, "1 <nil>", "2 <nil>")
	}
}

func TestAsCompleted_Duplicates(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		ts := nappers(ctx, 2, 1)
		drain(s, asyncio.AsCompleted(ctx, ts[0], ts[1], ts[0], ts[1], ts[1]))
		return nil
	})
	s.want(t, "1 <nil>", "1 <nil>", "1 <nil>", "2 <nil>", "2 <nil>")
}

// What is done while the loop body awaits something else is not lost, and keeps
// its order.
func TestAsCompleted_BodyThatAwaits(t *testing.T) {
	var order []int
	run(t, func(ctx context.Context) error {
		for v, err := range asyncio.AsCompleted(ctx, nappers(ctx, 5, 3, 1, 4, 2)...) {
			if err != nil {
				return err
			}
			order = append(order, v)
			if v == 1 {
				_ = asyncio.Sleep(ctx, 3500*time.Millisecond)
			}
		}
		return nil
	})
	if !slices.Equal(order, []int{1, 2, 3, 4, 5}) {
		t.Errorf("order is %v, want that of completion", order)
	}
}

func TestAsCompleted_Nested(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		for v := range asyncio.AsCompleted(ctx, nappers(ctx, 2, 1)...) {
			for w := range asyncio.AsCompleted(ctx, nappers(ctx, 4, 3)...) {
				s.add("%d%d", v, w)
			}
		}
		return nil
	})
	s.want(t, "13", "14", "23", "24")
}

func TestAsCompleted_AnyScheduleGivesEachResultOnce(t *testing.T) {
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			seen := map[int]int{}
			for v, err := range asyncio.AsCompleted(ctx, nappers(ctx, 1, 2, 3, 4, 0, 0)...) {
				if err != nil {
					return err
				}
				seen[v]++
				_ = asyncio.Yield(ctx)
			}
			if fmt.Sprint(seen) != "map[0:2 1:1 2:1 3:1 4:1]" {
				t.Errorf("%s: results are %v", name, seen)
			}
			return nil
		})
	}
}

func TestAsCompleted_ErrorOfATaskThatWasDoneIsRetrieved(t *testing.T) {
	noLeaks(t)
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		failed, unseen := asyncio.Spawn(ctx, taskFail), asyncio.Spawn(ctx, later(time.Second, 0, errSplash))
		turns(t, ctx, 2)
		for _, err := range asyncio.AsCompleted(ctx, failed, unseen) {
			if err != errBoom {
				t.Errorf("error is %v, want boom", err)
			}
			break
		}
		return asyncio.Sleep(ctx, time.Minute)
	})
	// Nobody came to see the second one.
	if err != nil || len(b.log.Lines()) != 1 || b.log.Count("Task exception was never retrieved", "splash") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestAsCompleted_Misuse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, taskNap)
		use := func(ctx context.Context) func() {
			return func() { asyncio.AsCompleted(ctx, task)(func(int, error) bool { return true }) }
		}
		wantPanic(t, "asyncio: AsCompleted: no running event loop in this context; pass the ctx that your coroutine was given, "+
			"or enter a loop with asyncio.Run(ctx, main)", use(context.Background()))
		asyncio.NoAwait(ctx, func() {
			if got := panicOf(use(ctx)); !strings.HasPrefix(got, "asyncio: AsCompleted: awaits inside NoAwait (") {
				t.Errorf("in NoAwait the panic is %s", got)
			}
		})
		l, err := asyncio.RunningLoop(ctx)
		l.CallSoon(func() {
			wantPanic(t, "asyncio: AsCompleted: called from a plain callback, which cannot wait; "+
				"start a task from it with Go or Spawn", use(ctx))
		})
		turns(t, ctx, 1)
		if by := task.CallGraph().AwaitedBy; len(by) != 0 {
			t.Errorf("the misuse has left %v behind", by[0])
		}
		return err
	})
}

func TestAsCompleted_OfItself(t *testing.T) {
	calmly(t, func(ctx context.Context) error {
		var self *asyncio.Task[int]
		self = asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			other := asyncio.Spawn(ctx, taskAnswer)
			wantPanic(t, "asyncio: AsCompleted: <Task pending name='Task-1-1' coro=asyncio_test.TestAsCompleted_OfItself.func1.1()> "+
				"cannot await itself; it would wait for ever", func() { drain(&story{}, asyncio.AsCompleted(ctx, other, self)) })
			if by := other.CallGraph().AwaitedBy; len(by) != 0 {
				t.Errorf("the misuse has left %v behind", by[0])
			}
			return 0, nil
		})
		_, err := self.Await(ctx)
		return err
	})
}

func TestAsCompleted_SaysHowManyAreLeft(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		ts := nappers(ctx, 1, 3)
		task := asyncio.Go(ctx, func(ctx context.Context) error { drain(s, asyncio.AsCompleted(ctx, ts...)); return nil })
		for range 2 {
			turns(t, ctx, 2)
			s.add("%s", task.WaitingFor())
			_ = asyncio.Sleep(ctx, 2*time.Second)
		}
		return nil
	})
	s.want(t, "AsCompleted for 2 of 2", "1 <nil>", "AsCompleted for 1 of 2", "3 <nil>")
}

func TestAsCompleted_OnAnotherGoroutine(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := asyncio.Spawn(ctx, taskNap)
		turns(t, ctx, 1)
		got, err := asyncio.Blocking(ctx, func(context.Context) (string, error) {
			return panicOf(func() { asyncio.AsCompleted(ctx, task)(func(int, error) bool { return true }) }), nil
		})
		if !strings.HasPrefix(got, "asyncio: AsCompleted: called from a goroutine that does not run loop ") {
			t.Errorf("panic is %s", got)
		}
		return err
	})
}
