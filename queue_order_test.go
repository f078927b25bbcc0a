package asyncio_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// A job has a priority and a number that it does not depend on.
type priorityJob struct{ priority, number int }

func byJobPriority(a, b priorityJob) bool { return a.priority < b.priority }

// intLess orders numbers, and panics over the one that has no order.
func intLess(a, b int) bool {
	if a == unordered || b == unordered {
		panic("cannot be ordered")
	}
	return a < b
}

const unordered = -99

func TestQueueOrder_LastInFirstOut(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewLifoQueue[int](0)
		for _, v := range []int{1, 3, 2} {
			if err := q.Put(ctx, v); err != nil {
				return err
			}
		}
		for _, want := range []int{2, 3, 1} {
			if v, err := q.Get(ctx); v != want || err != nil {
				t.Errorf("Get = %d, %v, want %d", v, err, want)
			}
		}
		wantString(t, q, "<LifoQueue maxsize=0 len=0 unfinished=3>")
		return nil
	})
}

func TestQueueOrder_SmallestFirst(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewPriorityQueue(0, intLess)
		for _, v := range []int{5, 3, 9, 1, 3, 7} {
			if err := q.Put(ctx, v); err != nil {
				return err
			}
		}
		for _, want := range []int{1, 3, 3, 5, 7, 9} {
			if v, err := q.Get(ctx); v != want || err != nil {
				t.Errorf("Get = %d, %v, want %d", v, err, want)
			}
		}
		wantString(t, q, "<PriorityQueue maxsize=0 len=0 unfinished=6>")
		return nil
	})
}

func TestQueueOrder_NeedsLess(t *testing.T) {
	wantPanic(t, "asyncio: NewPriorityQueue: the function is nil; pass the function to call",
		func() { asyncio.NewPriorityQueue[int](0, nil) })
}

// asyncio's queue compares what else is in a tuple; here equals keep their order.
func TestQueueOrder_EqualsInOrderOfPut(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 5))
		q := asyncio.NewPriorityQueue(0, byJobPriority)
		var model, got []priorityJob
		take := func() {
			best := 0
			for i := range model {
				if model[i].priority < model[best].priority {
					best = i
				}
			}
			want := model[best]
			model = slices.Delete(model, best, best+1)
			v, err := q.TryGet()
			if v != want || err != nil {
				t.Fatalf("seed %d: got %v, %v, want %v", seed, v, err, want)
			}
			got = append(got, v)
		}
		for number := range 300 {
			v := priorityJob{r.IntN(4), number}
			fill(t, &q.Queue, v)
			model = append(model, v)
			for r.IntN(3) == 0 && len(model) > 0 {
				take()
			}
		}
		for len(model) > 0 {
			take()
		}
		if len(got) != 300 {
			t.Errorf("seed %d: %d values came", seed, len(got))
		}
	}
}

// Values of tasks that wait to put take part in the order once there is room.
func TestQueueOrder_WaitingPutters(t *testing.T) {
	for kind, c := range map[string]struct {
		q    *asyncio.Queue[int]
		want []int
	}{
		"fifo":     {asyncio.NewQueue[int](2), []int{5, 4, 1, 3, 2}},
		"lifo":     {&asyncio.NewLifoQueue[int](2).Queue, []int{4, 1, 3, 2, 5}},
		"priority": {&asyncio.NewPriorityQueue(2, intLess).Queue, []int{4, 1, 3, 2, 5}},
	} {
		run(t, func(ctx context.Context) error {
			var tasks []*asyncio.Task[struct{}]
			for _, v := range []int{5, 4, 1, 3, 2} {
				tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error { return c.q.Put(ctx, v) }))
			}
			turns(t, ctx, 1)
			if got := rest(c.q); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v came, want %v", kind, got, c.want)
			}
			return awaitEach(ctx, tasks...)
		})
	}
}

// A getter that waits gets what comes first in time: the queue was empty.
func TestQueueOrder_WaitingGetters(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewPriorityQueue(0, intLess)
		s := &story{}
		tasks := getting(ctx, &q.Queue, s, "a", "b")
		turns(t, ctx, 1)
		fill(t, &q.Queue, 9, 5, 1)
		err := awaitEach(ctx, tasks...)
		s.want(t, "a has 9", "b has 5")
		return err
	})
}

// A less that panics does so in the call that put the value, and the value is
// not in the queue then: the others come out as if nothing had been tried.
func TestQueueOrder_LessThatPanicsOnPut(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewPriorityQueue(0, intLess)
		fill(t, &q.Queue, 3, 1, 2)
		wantPanic(t, "cannot be ordered", func() { _ = q.TryPut(unordered) })
		wantPanic(t, "cannot be ordered", func() { _ = q.Put(ctx, unordered) })
		wantString(t, q, "<PriorityQueue maxsize=0 len=3 unfinished=3>")
		fill(t, &q.Queue, 0)
		for _, want := range []int{0, 1, 2, 3} {
			var v int
			var err error
			if got := panicOf(func() { v, err = q.TryGet() }); got != "no panic" || v != want || err != nil {
				t.Errorf("TryGet = %d, %v, %s; want %d", v, err, got, want)
			}
			q.TaskDone()
		}
		return q.Join(ctx)
	})
}

// A less that panics only now and then must not lose or double a value either.
func TestQueueOrder_LessThatPanicsOnGet(t *testing.T) {
	for fuse := range 12 {
		armed := false
		left := fuse
		q := asyncio.NewPriorityQueue(0, func(a, b int) bool {
			if armed {
				if left--; left < 0 {
					armed = false
					panic("now and then")
				}
			}
			return a < b
		})
		fill(t, &q.Queue, 5, 2, 8, 1, 9, 4, 7, 3, 6)
		armed = true
		var got []int
		for q.Len() > 0 {
			if text := panicOf(func() {
				v, err := q.TryGet()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, v)
			}); text != "no panic" && text != "now and then" {
				t.Errorf("panicked with %s", text)
			}
		}
		if !slices.Equal(got, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("fuse %d: %v came", fuse, got)
		}
	}
}

// The value that cannot be ordered belongs to a task that waits to put it: that
// task has made the mistake, and the one that makes room for it gets its value.
func TestQueueOrder_LessThatPanicsOverAWaitingPutter(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewPriorityQueue(2, intLess)
		fill(t, &q.Queue, 1, 2)
		s := &story{}
		tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
			s.add("%s: %s", name, panicOf(func() {
				v := 3
				if name == "bad" {
					v = unordered
				}
				_ = q.Put(ctx, v)
			}))
			return nil
		}, "bad", "good")
		turns(t, ctx, 1)
		wantPanic(t, "no panic", func() {
			if v, err := q.Get(ctx); v != 1 || err != nil {
				t.Errorf("Get = %d, %v, want 1", v, err)
			}
		})
		turns(t, ctx, 3)
		for _, task := range tasks {
			if !task.Done() {
				t.Errorf("%v waits on", task)
				return nil
			}
		}
		err := awaitEach(ctx, tasks...)
		s.want(t, "bad: cannot be ordered", "good: no panic")
		if got := rest(&q.Queue); !slices.Equal(got, []int{2, 3}) {
			t.Errorf("left: %v", got)
		}
		return err
	})
}
