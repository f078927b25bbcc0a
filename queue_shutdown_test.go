package asyncio_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// wantShutDown fails unless err says that the queue is shut down.
func wantShutDown(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, asyncio.ErrQueueShutDown) || !strings.HasPrefix(err.Error(), "asyncio: the queue is shut down: <") {
		t.Errorf("%s: error is %v, want that the queue is shut down", what, err)
	}
}

// wantClosed fails unless nothing can be put into q or taken from it any more.
func wantClosed(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) {
	t.Helper()
	wantShutDown(t, "Put", q.Put(ctx, "x"))
	wantShutDown(t, "TryPut", q.TryPut("x"))
	_, err := q.Get(ctx)
	wantShutDown(t, "Get", err)
	_, err = q.TryGet()
	wantShutDown(t, "TryGet", err)
	if q.Len() != 0 {
		t.Errorf("Len() = %d", q.Len())
	}
}

func TestQueueShutdown_Empty(t *testing.T) {
	eachQueue(t, 0, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		readers := []*asyncio.Task[string]{asyncio.Spawn(ctx, q.Get), asyncio.Spawn(ctx, q.Get)}
		turns(t, ctx, 1)
		q.Shutdown(false)
		if err := q.Join(ctx); err != nil {
			return err
		}
		for _, r := range readers {
			_, err := r.Await(ctx)
			wantShutDown(t, "the Get that waited", err)
		}
		wantClosed(t, ctx, q)
		return q.Join(ctx)
	})
}

func TestQueueShutdown_TheErrorNamesTheQueue(t *testing.T) {
	q := asyncio.NewLifoQueue[int](3)
	q.Shutdown(true)
	wantErr(t, q.TryPut(1), "asyncio: the queue is shut down: <LifoQueue maxsize=3 len=0 shutdown>")
}

func TestQueueShutdown_WhatIsInItCanBeTaken(t *testing.T) {
	eachQueue(t, 1, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		fill(t, q, "data")
		joiner := asyncio.Go(ctx, q.Join)
		putter := asyncio.Go(ctx, func(ctx context.Context) error { return q.Put(ctx, "more") })
		turns(t, ctx, 1)
		q.Shutdown(false)
		if q.Len() != 1 {
			t.Errorf("Len() = %d after Shutdown", q.Len())
		}
		_, err := putter.Await(ctx)
		wantShutDown(t, "the Put that waited", err)
		wantShutDown(t, "TryPut to a full queue", q.TryPut("x"))
		wantShutDown(t, "Put to a full queue", q.Put(ctx, "x"))
		if v, err := q.Get(ctx); v != "data" || err != nil {
			t.Errorf("Get = %q, %v", v, err)
		}
		turns(t, ctx, 2)
		if joiner.Done() {
			t.Error("Join returned before TaskDone")
		}
		wantClosed(t, ctx, q)
		q.TaskDone()
		wantTooManyDone(t, q)
		return awaitEach(ctx, joiner)
	})
}

func TestQueueShutdown_ImmediateDropsWhatIsInIt(t *testing.T) {
	eachQueue(t, 2, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		fill(t, q, "a", "b")
		joiner := asyncio.Go(ctx, q.Join)
		putters := putting(ctx, q, &story{}, "c", "d")
		turns(t, ctx, 1)
		q.Shutdown(true)
		if err := awaitEach(ctx, joiner); err != nil {
			return err
		}
		for _, p := range putters {
			_, err := p.Await(ctx)
			wantShutDown(t, "the Put that waited", err)
		}
		wantClosed(t, ctx, q)
		wantTooManyDone(t, q)
		return nil
	})
}

// What has been taken and is being worked on still counts.
func TestQueueShutdown_ImmediateWithUnfinished(t *testing.T) {
	eachQueue(t, 0, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		fill(t, q, "data", "data")
		joiner := asyncio.Go(ctx, q.Join)
		if v, err := q.Get(ctx); v != "data" || err != nil {
			t.Errorf("Get = %q, %v", v, err)
		}
		q.Shutdown(true)
		turns(t, ctx, 2)
		if joiner.Done() {
			t.Error("Join returned with a value unfinished")
		}
		wantClosed(t, ctx, q)
		q.TaskDone()
		wantTooManyDone(t, q)
		return awaitEach(ctx, joiner)
	})
}

// TaskDone may be called before the value is taken: dropping it then must not
// count it a second time, or Join would wait for ever for less than nothing.
func TestQueueShutdown_ImmediateAfterTaskDoneInAdvance(t *testing.T) {
	eachQueue(t, 0, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		fill(t, q, "a", "b", "c")
		q.TaskDone()
		q.TaskDone()
		joiner := asyncio.Go(ctx, q.Join)
		turns(t, ctx, 1)
		q.Shutdown(true)
		turns(t, ctx, 2)
		if !joiner.Done() {
			t.Errorf("Join waits for %v", q)
		}
		wantTooManyDone(t, q)
		return nil
	})
}

func TestQueueShutdown_Twice(t *testing.T) {
	eachQueue(t, 0, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		fill(t, q, "a", "b")
		q.Shutdown(false)
		q.Shutdown(false)
		if _, err := q.Get(ctx); err != nil || q.Len() != 1 {
			t.Errorf("Get: %v, Len() = %d", err, q.Len())
		}
		q.Shutdown(true) // gives up waiting for the rest
		q.Shutdown(true)
		q.Shutdown(false)
		wantClosed(t, ctx, q)
		q.TaskDone()
		return q.Join(ctx)
	})
}

// A value that was handed over, or whose putter was let go, in the same turn
// before the shutdown has changed hands.
func TestQueueShutdown_AfterAHandOverInTheSameTurn(t *testing.T) {
	for _, immediate := range []bool{true, false} {
		run(t, func(ctx context.Context) error {
			q := asyncio.NewQueue[string](1)
			s := &story{}
			tasks := getting(ctx, q, s, "a", "b")
			turns(t, ctx, 1)
			fill(t, q, "x")
			q.Shutdown(immediate)
			_, err := tasks[0].Await(ctx)
			_, second := tasks[1].Await(ctx)
			wantShutDown(t, "b", second)
			s.want(t, "a has x", "b: asyncio: the queue is shut down: <Queue-1 maxsize=1 len=0 getters=1 unfinished=1 shutdown>")
			q.TaskDone()
			return errors.Join(err, q.Join(ctx))
		})
		run(t, func(ctx context.Context) error {
			q := asyncio.NewQueue[string](1)
			s := &story{}
			tasks := putting(ctx, q, s, "a", "b", "c")
			turns(t, ctx, 1)
			if v, err := q.TryGet(); v != "a" || err != nil {
				t.Errorf("TryGet = %q, %v", v, err)
			}
			q.Shutdown(immediate)
			turns(t, ctx, 1)
			if s.events[0] != "put a: <nil>" || s.events[1] != "put b: <nil>" || len(s.events) != 3 {
				t.Errorf("happened: %v", s.events)
			}
			_, err := tasks[2].Await(ctx)
			wantShutDown(t, "c", err)
			if got := rest(q); immediate && len(got) != 0 || !immediate && !slices.Equal(got, []string{"b"}) {
				t.Errorf("immediate=%v, left: %v", immediate, got)
			}
			return nil
		})
	}
}

func TestQueueShutdown_AndCancelInOneTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, shutFirst := range []bool{true, false} {
			q := asyncio.NewQueue[string](0)
			reader := asyncio.Spawn(ctx, q.Get)
			turns(t, ctx, 1)
			if shutFirst {
				q.Shutdown(false)
				reader.Cancel(nil)
			} else {
				reader.Cancel(nil)
				q.Shutdown(false)
			}
			_, err := reader.Await(ctx)
			if shutFirst {
				wantShutDown(t, "Get", err)
			} else {
				wantCancelled(t, "Get", err, nil)
			}
		}
		return nil
	})
}

// A cancelled task is told that, whether or not the queue is shut down.
func TestQueueShutdown_UnderACancelledContext(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](0)
		q.Shutdown(false)
		sub, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		_, err := q.Get(sub)
		wantCancelled(t, "Get", err, errBoom)
		wantCancelled(t, "Put", q.Put(sub, "x"), errBoom)
		return nil
	})
}

func TestQueueShutdown_WakesInOrderOfArrival(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](1)
		var got []string
		wait := func(ctx context.Context, name string) error {
			err := q.Put(ctx, name)
			wantShutDown(t, name, err)
			got = append(got, name)
			return nil
		}
		fill(t, q, "x")
		tasks := namedTasks(ctx, wait, "a", "b", "c")
		turns(t, ctx, 1)
		q.Shutdown(true)
		err := awaitEach(ctx, tasks...)
		if !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("order %v", got)
		}
		return err
	})
}
