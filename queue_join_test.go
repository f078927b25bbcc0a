package asyncio_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// eachQueue runs f with a queue of each kind, of up to max values.
func eachQueue(t *testing.T, max int, f func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error) {
	for kind, newQueue := range map[string]func() *asyncio.Queue[string]{
		"Queue":     func() *asyncio.Queue[string] { return asyncio.NewQueue[string](max) },
		"LifoQueue": func() *asyncio.Queue[string] { return &asyncio.NewLifoQueue[string](max).Queue },
		"PriorityQueue": func() *asyncio.Queue[string] {
			return &asyncio.NewPriorityQueue(max, func(a, b string) bool { return a < b }).Queue
		},
	} {
		t.Run(kind, func(t *testing.T) {
			run(t, func(ctx context.Context) error { return f(t, ctx, newQueue()) })
		})
	}
}

func wantTooManyDone(t *testing.T, q *asyncio.Queue[string]) {
	t.Helper()
	wantMisuse(t, asyncio.ErrInvalidState, "asyncio: Queue.TaskDone: called too many times on "+q.String()+
		"; call it once for each value that was taken", q.TaskDone)
}

func TestQueueJoin_OfAnEmptyQueueDoesNotWait(t *testing.T) {
	eachQueue(t, 0, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		now := countTurns(ctx)
		before := now()
		err := errors.Join(q.Join(ctx), q.Join(ctx))
		if n := now() - before; n != 0 {
			t.Errorf("it took %d turns", n)
		}
		return err
	})
}

func TestQueueJoin_TaskDoneTooOften(t *testing.T) {
	eachQueue(t, 0, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		wantTooManyDone(t, q)
		fill(t, q, "a")
		_ = rest(q)
		q.TaskDone()
		wantTooManyDone(t, q)
		return q.Join(ctx)
	})
}

func TestQueueJoin_WaitsForTheWorkNotForTheValues(t *testing.T) {
	eachQueue(t, 0, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		fill(t, q, "a", "b")
		joiner := asyncio.Go(ctx, q.Join)
		turns(t, ctx, 1)
		_ = rest(q)
		q.TaskDone()
		turns(t, ctx, 2)
		if joiner.Done() {
			t.Error("Join returned with one value unfinished")
		}
		q.TaskDone()
		return awaitEach(ctx, joiner)
	})
}

func TestQueueJoin_Workers(t *testing.T) {
	eachQueue(t, 3, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		done, put := 0, 0
		workers := namedTasks(ctx, func(ctx context.Context, _ string) error {
			for {
				if _, err := q.Get(ctx); err != nil {
					return err
				}
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					return err
				}
				done++
				q.TaskDone()
			}
		}, "a", "b")
		for ; put < 100; put++ {
			if err := q.Put(ctx, "work"); err != nil {
				return err
			}
		}
		err := q.Join(ctx)
		if done != put {
			t.Errorf("Join returned after %d of %d", done, put)
		}
		for _, w := range workers {
			w.Cancel(nil)
		}
		return err
	})
}

// A value that waits to be put does not count before it is in the queue, and one
// that is handed over does.
func TestQueueJoin_CountsWhatWasPut(t *testing.T) {
	eachQueue(t, 1, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		s := &story{}
		getter := getting(ctx, q, s, "g")
		turns(t, ctx, 1)
		fill(t, q, "handed over")
		putters := putting(ctx, q, s, "a", "b")
		turns(t, ctx, 1)
		joiner := asyncio.Go(ctx, q.Join)
		turns(t, ctx, 1)
		q.TaskDone()
		q.TaskDone()
		if err := awaitEach(ctx, joiner); err != nil { // although b waits
			return err
		}
		wantTooManyDone(t, q)
		_ = rest(q)
		q.TaskDone()
		wantTooManyDone(t, q)
		return awaitEach(ctx, slices.Concat(getter, putters)...)
	})
}

func TestQueueJoin_WakesEverybodyAndOnlyThen(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		s := &story{}
		fill(t, q, 1)
		join := func(ctx context.Context, name string) error {
			err := q.Join(ctx)
			s.add("%s: %v", name, err)
			return err
		}
		tasks := namedTasks(ctx, join, "a", "b", "c")
		turns(t, ctx, 1)
		tasks[1].Cancel(errBoom)
		q.TaskDone()
		fill(t, q, 2) // does not take back that it was empty
		late := namedTasks(ctx, join, "late")
		turns(t, ctx, 2)
		s.want(t, "b: asyncio: cancelled: boom", "a: <nil>", "c: <nil>")
		q.TaskDone()
		err := awaitEach(ctx, tasks[0], tasks[2], late[0])
		s.want(t, "b: asyncio: cancelled: boom", "a: <nil>", "c: <nil>", "late: <nil>")
		return err
	})
}

func TestQueueJoin_CancelledAndTimedOut(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		fill(t, q, 1)
		wantTimeout(t, "Join", asyncio.Timeout(ctx, time.Second, q.Join), "asyncio: timed out after 1s")
		sub, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		wantCancelled(t, "Join", q.Join(sub), errBoom)
		q.TaskDone()
		wantCancelled(t, "Join of a finished queue", q.Join(sub), errBoom)
		return q.Join(ctx)
	})
}

func TestQueueAll_UntilItIsShutDown(t *testing.T) {
	eachQueue(t, 2, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		producer := asyncio.Go(ctx, func(ctx context.Context) error {
			for range 10 {
				if err := q.Put(ctx, "v"); err != nil {
					return err
				}
			}
			q.Shutdown(false)
			return nil
		})
		n := 0
		for v, err := range q.All(ctx) {
			if v != "v" || err != nil {
				t.Errorf("All yields %q, %v", v, err)
			}
			n++
		}
		if n != 10 {
			t.Errorf("All yielded %d values, want 10", n)
		}
		for v, err := range q.All(ctx) {
			t.Errorf("All of a queue that is shut down yields %q, %v", v, err)
		}
		return awaitEach(ctx, producer)
	})
}

func TestQueueAll_BreakLeavesTheRest(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		fill(t, q, 1, 2, 3)
		for range 2 { // it can be used again
			for _, err := range q.All(ctx) {
				if err != nil {
					return err
				}
				break
			}
		}
		if got := rest(q); !slices.Equal(got, []int{3}) {
			t.Errorf("left: %v", got)
		}
		return nil
	})
}

func TestQueueAll_CancellationIsTheLastPair(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		fill(t, q, 1)
		s := &story{}
		err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) (last error) {
			for v, err := range q.All(ctx) {
				s.add("%d: %v", v, err)
				last = err
			}
			return last
		})
		wantTimeout(t, "All", err, "asyncio: timed out after 1s")
		s.want(t, "1: <nil>", "0: asyncio: cancelled by a deadline")
		return nil
	})
}
