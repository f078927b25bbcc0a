package asyncio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestQueueCancel_GetterLeaves(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](0)
		s := &story{}
		tasks := getting(ctx, q, s, "a", "b")
		turns(t, ctx, 1)
		tasks[0].Cancel(errBoom)
		wantString(t, q, "<Queue-1 maxsize=0 len=0 getters=1>")
		turns(t, ctx, 1)
		s.want(t, "a: asyncio: cancelled: boom")
		fill(t, q, "x")
		err := awaitEach(ctx, tasks[1])
		s.want(t, "a: asyncio: cancelled: boom", "b has x")
		return err
	})
}

func TestQueueCancel_TimeoutsLeaveNothingBehind(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](1)
		_, err := asyncio.WaitFor(ctx, time.Second, q.Get)
		wantTimeout(t, "Get", err, "asyncio: timed out after 1s")
		fill(t, q, "x")
		wantTimeout(t, "Put", asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error { return q.Put(ctx, "y") }),
			"asyncio: timed out after 1s")
		wantString(t, q, "<Queue-1 maxsize=1 len=1 unfinished=1>")
		if got := rest(q); !slices.Equal(got, []string{"x"}) {
			t.Errorf("left: %v, want what was put and not what was not", got)
		}
		return nil
	})
}

func TestQueueCancel_UnderACancelledContext(t *testing.T) {
	eachQueue(t, 2, func(t *testing.T, ctx context.Context, q *asyncio.Queue[string]) error {
		fill(t, q, "x")
		sub, cancel := asyncio.WithCancelCause(ctx)
		cancel(errBoom)
		v, err := q.Get(sub)
		wantCancelled(t, "Get", err, errBoom)
		wantCancelled(t, "Put", q.Put(sub, "y"), errBoom)
		if got := rest(q); v != "" || !slices.Equal(got, []string{"x"}) {
			t.Errorf("Get = %q; left: %v", v, got)
		}
		return nil
	})
}

// A reader that is cancelled after a value was put for it has that value, which
// is lost with a task that only sees its cancellation; the next one stays.
func TestQueueCancel_PutThenCancelOfTheGetter(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		reader := asyncio.Spawn(ctx, q.Get)
		turns(t, ctx, 1)
		fill(t, q, 1, 2)
		reader.Cancel(nil)
		if v, err := reader.Await(ctx); v != 1 || err != nil {
			t.Errorf("the reader has %d, %v", v, err)
		}
		if got := rest(q); !slices.Equal(got, []int{2}) {
			t.Errorf("left: %v", got)
		}
		return nil
	})
}

func TestQueueCancel_CancelOfTheGetterThenPut(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		reader := asyncio.Spawn(ctx, q.Get)
		turns(t, ctx, 1)
		reader.Cancel(nil)
		fill(t, q, 1, 2)
		v, err := reader.Await(ctx)
		wantCancelled(t, "Get", err, nil)
		if got := rest(q); v != 0 || !slices.Equal(got, []int{1, 2}) {
			t.Errorf("the reader has %d; left: %v", v, got)
		}
		return nil
	})
}

// Of three readers one is cancelled while two values arrive: none is dropped, and
// who was served first does not stop who comes later.
func TestQueueCancel_OneOfManyReaders(t *testing.T) {
	for victim := range 3 {
		for _, cancelFirst := range []bool{true, false} {
			run(t, func(ctx context.Context) error {
				q := asyncio.NewQueue[int](0)
				readers := []*asyncio.Task[int]{asyncio.Spawn(ctx, q.Get), asyncio.Spawn(ctx, q.Get), asyncio.Spawn(ctx, q.Get)}
				turns(t, ctx, 1)
				if cancelFirst {
					readers[victim].Cancel(nil)
				}
				fill(t, q, 1, 2)
				if !cancelFirst {
					readers[victim].Cancel(nil)
				}
				turns(t, ctx, 2)
				var got []int
				for _, r := range readers {
					if v, err := r.Result(); r.Done() && err == nil {
						got = append(got, v)
					}
				}
				if !slices.Equal(got, []int{1, 2}) || q.Len() != 0 {
					t.Errorf("victim %d, cancelFirst=%v: the readers have %v, left: %v", victim, cancelFirst, got, rest(q))
				}
				return nil
			})
		}
	}
}

func TestQueueCancel_PutterLeaves(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](1)
		s := &story{}
		tasks := putting(ctx, q, s, "a", "b", "c")
		turns(t, ctx, 1)
		tasks[1].Cancel(errBoom)
		turns(t, ctx, 1)
		s.want(t, "put a: <nil>", "put b: asyncio: cancelled: boom")
		if got := rest(q); !slices.Equal(got, []string{"a", "c"}) {
			t.Errorf("came: %v", got)
		}
		return awaitEach(ctx, tasks[2])
	})
}

// The value was in the queue already when its putter was cancelled: Put says so.
func TestQueueCancel_GetThenCancelOfThePutter(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](1)
		s := &story{}
		fill(t, q, "first")
		tasks := putting(ctx, q, s, "a")
		turns(t, ctx, 1)
		if v, err := q.TryGet(); v != "first" || err != nil {
			t.Errorf("TryGet = %s, %v", v, err)
		}
		tasks[0].Cancel(nil)
		err := awaitEach(ctx, tasks...)
		s.want(t, "put a: <nil>")
		if got := rest(q); !slices.Equal(got, []string{"a"}) {
			t.Errorf("left: %v, want the value once", got)
		}
		return err
	})
}

func TestQueueCancel_CancelOfThePutterThenGet(t *testing.T) {
	run(t, func(ctx context.Context) error {
		q := asyncio.NewQueue[string](1)
		s := &story{}
		fill(t, q, "first")
		tasks := putting(ctx, q, s, "a", "b")
		turns(t, ctx, 1)
		tasks[0].Cancel(nil)
		if got := rest(q); !slices.Equal(got, []string{"first", "b"}) {
			t.Errorf("came: %v", got)
		}
		turns(t, ctx, 1)
		s.want(t, "put a: asyncio: cancelled", "put b: <nil>")
		return nil
	})
}

// A deadline and a value that come in the same turn: whichever is first.
func TestQueueCancel_ValueAndDeadlineInOneTurn(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		for _, valueFirst := range []bool{true, false} {
			q := asyncio.NewQueue[int](0)
			put := func() { loop.CallLater(time.Second, func() { fill(t, q, 7) }) }
			if valueFirst {
				put()
			}
			task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) { return asyncio.WaitFor(ctx, time.Second, q.Get) })
			turns(t, ctx, 1)
			if !valueFirst {
				put()
			}
			v, err := task.Await(ctx)
			if err := asyncio.Sleep(ctx, time.Minute); err != nil {
				return err
			}
			if left := rest(q); err == nil && (v != 7 || len(left) != 0) || err != nil && !slices.Equal(left, []int{7}) {
				t.Errorf("valueFirst=%v: Get = %d, %v; left: %v", valueFirst, v, err, left)
			}
		}
		return nil
	})
}

// A market is producers and consumers of numbered values, some of whom are
// cancelled. What was put and what was taken is counted.
type market struct {
	put, got map[int]int // how often
	next     int
}

func (m *market) produce(q *asyncio.Queue[int], values int) func(context.Context) error {
	return func(ctx context.Context) error {
		for range values {
			m.next++
			v := m.next
			if err := q.Put(ctx, v); err != nil {
				return err
			}
			m.put[v]++
		}
		return nil
	}
}

func (m *market) consume(q *asyncio.Queue[int]) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			v, err := q.Get(ctx)
			if err != nil {
				return err
			}
			m.got[v]++
		}
	}
}

// check compares what was put with what was taken and what is left.
func (m *market) check(t *testing.T, what string, q *asyncio.Queue[int]) {
	t.Helper()
	for _, v := range rest(q) {
		m.got[v]++
	}
	for v := 1; v <= m.next; v++ {
		if m.put[v] != m.got[v] || m.put[v] > 1 {
			t.Errorf("%s: value %d was put %d times and taken %d times", what, v, m.put[v], m.got[v])
		}
	}
	if len(m.put) == 0 {
		t.Errorf("%s: nothing was put", what)
	}
}

func (m *market) run(t *testing.T, ctx context.Context, q *asyncio.Queue[int], r *rand.Rand) {
	var tasks []*asyncio.Task[struct{}]
	for range 4 {
		tasks = append(tasks, asyncio.Go(ctx, m.produce(q, 12)), asyncio.Go(ctx, m.consume(q)))
	}
	for range 12 {
		turns(t, ctx, r.IntN(3))
		switch r.IntN(4) {
		case 0: // with a value that may come or go in the same turn
			if v, err := q.TryGet(); err == nil {
				m.got[v]++
			}
		case 1:
			m.next++
			if q.TryPut(m.next) == nil {
				m.put[m.next]++
			}
		}
		i := r.IntN(len(tasks))
		tasks[i].Cancel(nil)
		if r.IntN(2) == 0 {
			tasks = append(tasks, asyncio.Go(ctx, m.consume(q)), asyncio.Go(ctx, m.produce(q, 3)))
		}
	}
	turns(t, ctx, 50)
	for _, task := range tasks {
		task.Cancel(nil)
	}
	turns(t, ctx, 3)
}

func TestQueueCancel_NoValueIsLostOrTakenTwice(t *testing.T) {
	noLeaks(t)
	for _, max := range []int{0, 1, 2, 5} {
		for seed := range uint64(40) {
			for kind, q := range map[string]*asyncio.Queue[int]{
				"fifo":     asyncio.NewQueue[int](max),
				"lifo":     &asyncio.NewLifoQueue[int](max).Queue,
				"priority": &asyncio.NewPriorityQueue(max, func(a, b int) bool { return a > b }).Queue,
			} {
				m := &market{put: map[int]int{}, got: map[int]int{}}
				chosen(t, seededChooser(seed), func(ctx context.Context) error {
					m.run(t, ctx, q, rand.New(rand.NewPCG(seed, uint64(max))))
					return nil
				})
				m.check(t, fmt.Sprintf("%s of %d, seed %d", kind, max, seed), q)
			}
		}
	}
}
