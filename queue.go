package asyncio

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/asyncio-go/asyncio/internal/list"
)

// A Queue hands values from tasks to tasks. Those that wait to put and those
// that wait to get are served in order of arrival, each with its own value: no
// value is lost or given twice, whoever is cancelled. Make one with [NewQueue],
// [NewLifoQueue] or [NewPriorityQueue]. It must not be copied.
//
// It belongs to the loop of the first task that had to wait at it. From other
// goroutines use CallSoon with TryPut, or a Go channel and [Recv].
type Queue[T any] struct {
	_          noCopy
	kind       string
	max        int // 0: unbounded
	items      store[T]
	getters    waitlist // tasks whose coroutine waits on an *exchange
	putters    list.List[task]
	joiners    list.List[task]
	spare      *exchange[T] // for the next wait
	unfinished int          // values that were put and for which TaskDone was not called
	shut       bool
}

// A store keeps the values of a queue in the order in which they come out.
type store[T any] interface {
	push(v T)
	pop() T
	len() int
	clear()
}

// An exchange is what a task waits for at a queue: a value that it gets, or
// that one which it puts is taken.
type exchange[T any] struct {
	q  *Queue[T]
	op string
	v  T

	panicked any // what the order of a [PriorityQueue] did with v
}

// String implements [fmt.Stringer].
func (x *exchange[T]) String() string { return x.op + " of " + x.q.String() }

// NewQueue makes a queue from which values come in the order in which they were
// put. It holds up to max values; a max of zero or less means any number.
func NewQueue[T any](max int) *Queue[T] {
	q := &Queue[T]{}
	q.init("Queue", max, &fifo[T]{})
	return q
}

func (q *Queue[T]) init(kind string, limit int, items store[T]) {
	q.kind, q.max, q.items = kind, max(limit, 0), items
}

// Put puts v, and waits while the queue is full. Cancelling ctx ends the wait
// with a [CancelledError]; v was put exactly if the error is nil. After
// [Queue.Shutdown] the error matches [ErrQueueShutDown].
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	q.mustBeMade("Queue.Put")
	a, err := newAwait(ctx, "Queue.Put")
	if err != nil {
		return err
	}
	q.mustBeOn(a.t.scope.e, "Queue.Put")
	if !q.full() || q.shut {
		return q.put(v)
	}
	q.bind(a.t.scope.e, "Queue.Put")
	x := q.exchange("put")
	x.v = v
	q.putters.PushBack(&a.t.coro.queued, a.t)
	err = a.park(x)
	if p := x.panicked; p != nil {
		panic(p)
	}
	q.keep(x)
	return err
}

// TryPut puts v without waiting. If the queue is full the error matches
// [ErrQueueFull], after [Queue.Shutdown] [ErrQueueShutDown].
func (q *Queue[T]) TryPut(v T) error {
	q.mustBeMade("Queue.TryPut")
	q.getters.mustNotRace("Queue.TryPut")
	if q.full() && !q.shut {
		return ErrQueueFull
	}
	err := q.put(v)
	q.getters.nudge()
	return err
}

// Get takes the next value, and waits while there is none. Cancelling ctx ends
// the wait with a [CancelledError], and then no value was taken. After
// [Queue.Shutdown], once the queue is empty, the error matches [ErrQueueShutDown].
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	q.mustBeMade("Queue.Get")
	a, err := newAwait(ctx, "Queue.Get")
	if err != nil {
		return v, err
	}
	q.mustBeOn(a.t.scope.e, "Queue.Get")
	if q.items.len() > 0 || q.shut {
		return q.take()
	}
	q.bind(a.t.scope.e, "Queue.Get")
	x := q.exchange("get")
	q.getters.add(a.t)
	err = a.park(x)
	v = x.v
	q.keep(x)
	return v, err
}

// TryGet takes the next value without waiting. If there is none the error
// matches [ErrQueueEmpty], after [Queue.Shutdown] [ErrQueueShutDown].
func (q *Queue[T]) TryGet() (T, error) {
	q.mustBeMade("Queue.TryGet")
	q.getters.mustNotRace("Queue.TryGet")
	v, err := q.take()
	q.getters.nudge()
	return v, err
}

// All are the values as they come, taken one by one, until the queue is shut
// down and empty. Cancelling ctx ends the iteration, with the error in the last
// pair. Breaking out of it leaves the other values in the queue.
func (q *Queue[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := q.Get(ctx)
			if errors.Is(err, ErrQueueShutDown) || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// TaskDone says that the work on a value that was taken is done. It panics if it
// is called more often than values were put.
func (q *Queue[T]) TaskDone() {
	q.getters.mustNotRace("Queue.TaskDone")
	if q.unfinished == 0 {
		panic(misuse(ErrInvalidState, "Queue.TaskDone: called too many times on %v; call it once for each value that "+
			"was taken", q))
	}
	q.finished(1)
}

// Join waits until TaskDone has been called for every value that was put.
// Cancelling ctx ends the wait with a [CancelledError].
func (q *Queue[T]) Join(ctx context.Context) error {
	a, err := newAwait(ctx, "Queue.Join")
	if err != nil {
		return err
	}
	q.mustBeOn(a.t.scope.e, "Queue.Join")
	if q.unfinished == 0 {
		return nil
	}
	q.bind(a.t.scope.e, "Queue.Join")
	q.joiners.PushBack(&a.t.coro.queued, a.t)
	return a.park(&exchange[T]{q: q, op: "join"})
}

// Shutdown closes the queue: puts fail from now on, those that wait included,
// and gets do once the queue is empty. If immediate, the values that it holds
// are dropped, and count as done.
func (q *Queue[T]) Shutdown(immediate bool) {
	q.mustBeMade("Queue.Shutdown")
	q.getters.mustNotRace("Queue.Shutdown")
	q.shut = true
	if immediate {
		dropped := min(q.items.len(), q.unfinished) // TaskDone may have been early
		q.items.clear()
		q.finished(dropped)
	}
	for _, waiting := range [...]*list.List[task]{&q.getters.tasks, &q.putters} {
		for t := range waiting.All {
			t.interrupt(q.shutDown())
		}
	}
	q.getters.nudge()
}

// Len is the number of values in the queue.
func (q *Queue[T]) Len() int {
	q.mustBeMade("Queue.Len")
	q.getters.mustNotRace("Queue.Len")
	return q.items.len()
}

// Max is how many values the queue holds at most; 0 means any number.
func (q *Queue[T]) Max() int { return q.max }

// String is the queue as asyncio prints one.
func (q *Queue[T]) String() string {
	if q.items == nil {
		return "<Queue not made>"
	}
	if q.getters.isElsewhere() {
		return "<" + q.getters.name(q.kind) + ">"
	}
	s := fmt.Sprintf("<%s maxsize=%d len=%d%s%s", q.getters.name(q.kind), q.max, q.items.len(),
		length(&q.getters.tasks, "getters"), length(&q.putters, "putters"))
	if q.unfinished > 0 {
		s += fmt.Sprintf(" unfinished=%d", q.unfinished)
	}
	if q.shut {
		s += " shutdown"
	}
	return s + ">"
}

func (q *Queue[T]) full() bool { return q.max > 0 && q.items.len() >= q.max }

// mustBeMade panics for a zero Queue, which does not know its order.
func (q *Queue[T]) mustBeMade(fn string) {
	if q.items == nil {
		panic(misuse(ErrInvalidState, "%s: the queue was not made with NewQueue, NewLifoQueue or NewPriorityQueue", fn))
	}
}

// bind makes the queue one of the loop e; who waits at it on another one waits on
// a loop that is closed.
func (q *Queue[T]) bind(e *engine, fn string) {
	if q.getters.e != e {
		q.getters.bind(e, q, fn)
		unlink(&q.putters)
		unlink(&q.joiners)
	}
}

func (q *Queue[T]) mustBeOn(e *engine, fn string) {
	if q.getters.e != nil {
		q.bind(e, fn)
	}
}

// put gives v to the task that has waited longest, or stores it.
func (q *Queue[T]) put(v T) error {
	if q.shut {
		return q.shutDown()
	}
	if t := q.getters.tasks.Front(); t != nil {
		t.coro.on.(*exchange[T]).v = v
		t.wake()
	} else {
		q.items.push(v)
	}
	q.unfinished++
	return nil
}

// take is the next value; the room it leaves is for the task that has waited
// longest to put one.
func (q *Queue[T]) take() (v T, err error) {
	if q.items.len() == 0 {
		if q.shut {
			return v, q.shutDown()
		}
		return v, ErrQueueEmpty
	}
	v = q.items.pop()
	for t := q.putters.Front(); t != nil && !q.full(); t = q.putters.Front() {
		if t.coro.on.(*exchange[T]).store() {
			q.unfinished++
		}
		t.wake()
	}
	return v, nil
}

// store stores the value that its task waits to put. A panic over it is that
// task's, and not that of whoever made room for it.
func (x *exchange[T]) store() (stored bool) {
	defer func() { x.panicked = recover() }()
	x.q.items.push(x.v)
	return true
}

// finished counts n values as done.
func (q *Queue[T]) finished(n int) {
	if q.unfinished -= n; q.unfinished == 0 {
		for t := range q.joiners.All {
			t.wake()
		}
		q.getters.nudge()
	}
}

// exchange is what a task is about to wait for. One is kept, so that a queue
// with one task at each end allocates nothing.
func (q *Queue[T]) exchange(op string) *exchange[T] {
	x := q.spare
	if x == nil {
		x = &exchange[T]{q: q}
	}
	q.spare, x.op = nil, op
	return x
}

func (q *Queue[T]) keep(x *exchange[T]) {
	var zero T
	x.v = zero
	q.spare = x
}

func (q *Queue[T]) shutDown() error { return fmt.Errorf("%w: %v", ErrQueueShutDown, q) }
