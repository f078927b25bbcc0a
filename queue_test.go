package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"

	"github.com/asyncio-go/asyncio"
)

// getting are tasks that take one value each and tell the story what it was.
func getting[T any](ctx context.Context, q *asyncio.Queue[T], s *story, names ...string) []*asyncio.Task[struct{}] {
	return namedTasks(ctx, func(ctx context.Context, name string) error {
		v, err := q.Get(ctx)
		if err != nil {
			s.add("%s: %v", name, err)
			return err
		}
		s.add("%s has %v", name, v)
		return nil
	}, names...)
}

// putting are tasks that put their names, and tell the story how it went.
func putting(ctx context.Context, q *asyncio.Queue[string], s *story, names ...string) []*asyncio.Task[struct{}] {
	return namedTasks(ctx, func(ctx context.Context, name string) error {
		err := q.Put(ctx, name)
		s.add("put %s: %v", name, err)
		return err
	}, names...)
}

// fill puts values into a queue that has room for them.
func fill[T any](t *testing.T, q *asyncio.Queue[T], values ...T) {
	t.Helper()
	for _, v := range values {
		if err := q.TryPut(v); err != nil {
			t.Fatal(err)
		}
	}
}

// rest takes what is in the queue.
func rest[T any](q *asyncio.Queue[T]) (values []T) {
	for {
		v, err := q.TryGet()
		if err != nil {
			return values
		}
		values = append(values, v)
	}
}

func TestQueue_FirstInFirstOut(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		now := countTurns(ctx)
		before := now()
		for i, v := range []int{1, 3, 2} {
			if err := q.Put(ctx, v); err != nil || q.Len() != i+1 {
				t.Errorf("Put: %v, Len() = %d", err, q.Len())
			}
		}
		for i, want := range []int{1, 3, 2} {
			if v, err := q.Get(ctx); v != want || err != nil || q.Len() != 2-i {
				t.Errorf("Get = %d, %v, want %d; Len() = %d", v, err, want, q.Len())
			}
		}
		if n := now() - before; n != 0 {
			t.Errorf("it took %d turns", n)
		}
		return nil
	})
}

func TestQueue_Max(t *testing.T) {
	for max, want := range map[int]int{-3: 0, 0: 0, 1: 1, 7: 7} {
		q := asyncio.NewQueue[int](max)
		if q.Max() != want {
			t.Errorf("NewQueue(%d).Max() = %d", max, q.Max())
		}
		for i := range 20 {
			if err := q.TryPut(i); want == 0 && err != nil || want > 0 && (err == nil) != (i < want) {
				t.Errorf("NewQueue(%d): TryPut number %d: %v", max, i+1, err)
			}
		}
	}
}

func TestQueue_TryPutAndTryGet(t *testing.T) {
	q := asyncio.NewQueue[string](1)
	v, err := q.TryGet()
	wantErr(t, err, "asyncio: the queue is empty")
	if !errors.Is(err, asyncio.ErrQueueEmpty) || v != "" {
		t.Errorf("TryGet of an empty queue = %q, %v", v, err)
	}
	fill(t, q, "a")
	err = q.TryPut("b")
	wantErr(t, err, "asyncio: the queue is full")
	if !errors.Is(err, asyncio.ErrQueueFull) || q.Len() != 1 {
		t.Errorf("TryPut to a full queue: %v, Len() = %d", err, q.Len())
	}
	if v, err := q.TryGet(); v != "a" || err != nil {
		t.Errorf("TryGet = %q, %v", v, err)
	}
}

func TestQueue_PutWaitsWhileItIsFull(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](2)
		s := &story{}
		producer := asyncio.Go(ctx, func(ctx context.Context) error {
			for i := range 3 {
				if err := q.Put(ctx, i); err != nil {
					return err
				}
				s.add("put %d", i)
			}
			return nil
		})
		turns(t, ctx, 3)
		s.want(t, "put 0", "put 1")
		if v, err := q.Get(ctx); v != 0 || err != nil || q.Len() != 2 {
			t.Errorf("Get = %d, %v; Len() = %d, want the third value in the place of the first", v, err, q.Len())
		}
		err := awaitEach(ctx, producer)
		s.want(t, "put 0", "put 1", "put 2")
		if got := rest(q); !slices.Equal(got, []int{1, 2}) {
			t.Errorf("left: %v", got)
		}
		return err
	})
}

func TestQueue_GetWaitsWhileItIsEmpty(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		q := asyncio.NewQueue[int](1)
		loop.CallLater(time.Second, func() { fill(t, q, 1) })
		past := took(t, ctx, func() {
			if v, err := q.Get(ctx); v != 1 || err != nil {
				t.Errorf("Get = %d, %v", v, err)
			}
		})
		fill(t, q, 2)
		loop.CallLater(time.Second, func() { _, _ = q.TryGet() })
		past += took(t, ctx, func() {
			if err := q.Put(ctx, 3); err != nil {
				t.Errorf("Put: %v", err)
			}
		})
		if past != 2*time.Second || q.Len() != 1 {
			t.Errorf("it took %v; Len() = %d", past, q.Len())
		}
		return nil
	})
}

// The first value goes to whoever came first, although all run in one turn and a
// Chooser says in which order.
func TestQueue_GettersAreServedInOrderOfArrival(t *testing.T) {
	noLeaks(t)
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			q := asyncio.NewQueue[int](0)
			var asked []string
			got := map[string]int{}
			tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
				asked = append(asked, name)
				v, err := q.Get(ctx)
				got[name] = v
				return err
			}, "a", "b", "c", "d")
			turns(t, ctx, 1)
			fill(t, q, 1, 2, 3, 4)
			err := awaitEach(ctx, tasks...)
			for i, who := range asked {
				if got[who] != i+1 {
					t.Errorf("%s: number %d got the value %d", name, i+1, got[who])
				}
			}
			return err
		})
	}
}

func TestQueue_PuttersAreServedInOrderOfArrival(t *testing.T) {
	noLeaks(t)
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			q := asyncio.NewQueue[string](1)
			var asked, got []string
			tasks := namedTasks(ctx, func(ctx context.Context, name string) error {
				asked = append(asked, name)
				return q.Put(ctx, name)
			}, "a", "b", "c", "d")
			for range 4 {
				v, err := q.Get(ctx)
				if err != nil {
					return err
				}
				got = append(got, v)
			}
			if !slices.Equal(got, asked) {
				t.Errorf("%s: %v put, and %v came", name, asked, got)
			}
			return awaitEach(ctx, tasks...)
		})
	}
}

// What is given is given: in asyncio a task that runs between the put and the
// getter's next step may take the value, or the room.
func TestQueue_NobodyBarges(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](1)
		s := &story{}
		tasks := getting(ctx, q, s, "a")
		turns(t, ctx, 1)
		fill(t, q, "for a")
		if _, err := q.TryGet(); err != asyncio.ErrQueueEmpty || q.Len() != 0 {
			t.Errorf("TryGet: %v, Len() = %d, want a value that is a's already", err, q.Len())
		}
		fill(t, q, "next")
		tasks = append(tasks, putting(ctx, q, s, "b")...)
		turns(t, ctx, 1)
		s.want(t, "a has for a")
		if v, err := q.TryGet(); v != "next" || err != nil {
			t.Errorf("TryGet = %s, %v", v, err)
		}
		if err := q.TryPut("barger"); err != asyncio.ErrQueueFull || q.Len() != 1 {
			t.Errorf("TryPut: %v, Len() = %d, want the room filled by b", err, q.Len())
		}
		err := awaitEach(ctx, tasks...)
		s.want(t, "a has for a", "put b: <nil>")
		if got := rest(q); !slices.Equal(got, []string{"b"}) {
			t.Errorf("left: %v", got)
		}
		return err
	})
}

// Producers and consumers that wait for each other in turn, at both ends.
func TestQueue_ProducersAndConsumersDoNotGetStuck(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](1)
		sum := 0
		var tasks []*asyncio.Task[struct{}]
		for range 3 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				for i := range 20 {
					if err := q.Put(ctx, i); err != nil {
						return err
					}
				}
				return nil
			}), asyncio.Go(ctx, func(ctx context.Context) error {
				for range 20 {
					v, err := q.Get(ctx)
					if err != nil {
						return err
					}
					sum += v
				}
				return nil
			}))
		}
		err := awaitEach(ctx, tasks...)
		if sum != 3*190 || q.Len() != 0 {
			t.Errorf("sum %d, Len() = %d", sum, q.Len())
		}
		return err
	})
}

// Room that several TryGet make is filled by as many putters, in one turn.
func TestQueue_EveryRoomIsFilled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](2)
		s := &story{}
		tasks := putting(ctx, q, s, "a", "b", "c", "d", "e")
		turns(t, ctx, 1)
		s.want(t, "put a: <nil>", "put b: <nil>")
		if got := rest(q); !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) {
			t.Errorf("came: %v", got)
		}
		return awaitEach(ctx, tasks...)
	})
}

func TestQueue_String(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](2)
		s := &story{}
		wantString(t, q, "<Queue maxsize=2 len=0>")
		tasks := getting(ctx, q, s, "a", "b")
		turns(t, ctx, 1)
		wantString(t, q, "<Queue-1 maxsize=2 len=0 getters=2>")
		if got := tasks[0].WaitingFor(); got != "get of "+q.String() {
			t.Errorf("a waits for %s", got)
		}
		fill(t, q, "1", "2", "3", "4")
		putters := putting(ctx, q, s, "x", "y")
		joiner := asyncio.Go(ctx, q.Join)
		turns(t, ctx, 1)
		wantString(t, q, "<Queue-1 maxsize=2 len=2 putters=2 unfinished=4>")
		if got := putters[0].WaitingFor(); got != "put of "+q.String() {
			t.Errorf("x waits for %s", got)
		}
		if got := joiner.WaitingFor(); got != "join of "+q.String() {
			t.Errorf("the joiner waits for %s", got)
		}
		if got := rest(q); len(got) != 4 {
			t.Errorf("left: %v", got)
		}
		for range 6 {
			q.TaskDone()
		}
		q.Shutdown(false)
		wantString(t, q, "<Queue-1 maxsize=2 len=0 shutdown>")
		return awaitEach(ctx, slices.Concat(tasks, putters, []*asyncio.Task[struct{}]{joiner})...)
	})
}

// The queue keeps no value that was taken, or that nobody puts any more.
func TestQueue_HoldsNoValueLongerThanNeeded(t *testing.T) {
	type large struct{ rank, _ [8]int }
	run(t, func(ctx context.Context) error {
		for name, q := range map[string]*asyncio.Queue[*large]{
			"fifo":     asyncio.NewQueue[*large](10),
			"lifo":     &asyncio.NewLifoQueue[*large](10).Queue,
			"priority": &asyncio.NewPriorityQueue(10, func(a, b *large) bool { return a.rank[0] < b.rank[0] }).Queue,
		} {
			var made []weak.Pointer[large]
			value := func() *large {
				v := &large{}
				made = append(made, weak.Make(v))
				return v
			}
			put := func(ctx context.Context) error { return q.Put(ctx, value()) }
			get := func(ctx context.Context) error { _, err := q.Get(ctx); return err }
			for _, f := range [][]func(context.Context) error{
				{get, put}, // handed over
				{put, put, put, put, put, put, put, put, put, put, put, get}, // stored, the last one after a wait
			} {
				for _, f := range f {
					asyncio.Go(ctx, f)
				}
				turns(t, ctx, 3)
			}
			cancelled := asyncio.Go(ctx, put)
			turns(t, ctx, 1)
			cancelled.Cancel(nil)
			if got := len(rest(q)); got != 10 {
				t.Errorf("%s: %d values were left, want 10", name, got)
			}
			turns(t, ctx, 1)
			if n := stillHeld(made); n != 0 || len(made) != 13 {
				t.Errorf("%s: %d of %d values are still held", name, n, len(made))
			}
			runtime.KeepAlive(q)
		}
		return nil
	})
}

// stillHeld is how many of what ps point to is not collected in due time.
func stillHeld[T any](ps []weak.Pointer[T]) int {
	for range 20 {
		runtime.GC()
	}
	n := 0
	for _, p := range ps {
		if p.Value() != nil {
			n++
		}
	}
	return n
}
