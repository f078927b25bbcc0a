package asyncio

import (
	"context"
	"fmt"
	"iter"
)

// A Waiter is something that will be done: a [Task] or a [Future] of any type.
type Waiter interface {
	Done() bool
	String() string

	settled() (o *outcome, e *engine, cancelled bool)
}

var _, _ Waiter = (*Task[int])(nil), (*Future[int])(nil)

// A WaitMode says when [Wait] returns.
type WaitMode uint8

const (
	AllDone    WaitMode = iota // all are done
	FirstDone                  // one is done
	FirstError                 // one has failed, other than by cancellation, or all are done
)

// Wait waits until as many of ws are done as mode says, and returns which are and
// which are not, in the order of ws. It cancels nobody, and leaves the errors for
// whoever awaits the tasks. Cancelling ctx, or a [Timeout] around, ends the wait
// with a [CancelledError], and the two lists are right all the same. Without
// anything to wait for it fails.
func Wait(ctx context.Context, mode WaitMode, ws ...Waiter) (done, pending []Waiter, err error) {
	if len(ws) == 0 {
		return nil, nil, fmt.Errorf("asyncio: Wait: there is nothing to wait for; pass at least one task or future")
	}
	for _, x := range ws {
		if x == nil {
			panic(misuse(nil, "Wait: one of the tasks and futures is nil; pass those that there are"))
		}
	}
	a, err := newAwait(ctx, "Wait")
	if err == nil {
		w := &waiting{mode: mode, ws: ws, t: a.t}
		err = w.wait(a)
	}
	for _, x := range ws {
		if o, _, _ := x.settled(); o.done {
			done = append(done, x)
		} else {
			pending = append(pending, x)
		}
	}
	return done, pending, err
}

// A waiting is one call of Wait.
type waiting struct {
	mode     WaitMode
	ws       []Waiter
	t        *task
	left     int  // not done
	met      bool // one is that mode waits for
	watchers []watcher
}

func (w *waiting) wait(a await) error {
	for _, x := range w.ws {
		o, e, cancelled := x.settled()
		if here := a.t.scope.e; e != here {
			panic(misuse(nil, "Wait: %v belongs to %s but was awaited on %s; "+
				"hand values from loop to loop with CallSoon or Submit", x, e, here))
		}
		if o == &a.t.outcome {
			panic(misuse(nil, "Wait: %v cannot await itself; it would wait for ever", x))
		}
		if o.done {
			w.count(o, cancelled)
		} else {
			w.left++
		}
	}
	if w.met || w.left == 0 {
		return nil
	}
	if a.t.isWaitedFor() {
		if err := a.t.closesCircle(w); err != nil {
			return err
		}
	}
	w.watchers = make([]watcher, len(w.ws))
	for i, x := range w.ws {
		if o, _, _ := x.settled(); !o.done {
			w.watchers[i] = watcher{by: a.t, told: func(o *outcome) { w.tell(x, o) }}
			o.watch(&w.watchers[i])
		}
	}
	err := a.park(w)
	for i := range w.watchers {
		w.watchers[i].node.Remove()
	}
	return err
}

// count takes note of an outcome that is there.
func (w *waiting) count(o *outcome, cancelled bool) {
	switch w.mode {
	case FirstDone:
		w.met = true
	case FirstError:
		w.met = w.met || o.err != nil && !cancelled
	}
}

func (w *waiting) tell(x Waiter, o *outcome) {
	_, _, cancelled := x.settled()
	w.left--
	w.count(o, cancelled)
	if (w.met || w.left == 0) && w.t.waitsFor(w) {
		w.t.wake()
	}
}

// String implements [fmt.Stringer].
func (w *waiting) String() string { return fmt.Sprintf("Wait for %d of %d", w.left, len(w.ws)) }

// holder implements held: if all are waited for, each must end.
func (w *waiting) holder(i int) (*task, bool) {
	if w.mode != AllDone || i >= len(w.ws) {
		return nil, false
	}
	if t, ok := w.ws[i].(interface{ engineTask() *task }); ok {
		return t.engineTask().unlessDone(), true
	}
	return nil, true
}

// sharers implements shared.
func (w *waiting) sharers(yield func(*task) bool) {
	for _, x := range w.ws {
		if t, ok := x.(interface{ engineTask() *task }); ok && !t.engineTask().done && !yield(t.engineTask()) {
			return
		}
	}
}

// AsCompleted are the results of tasks in the order in which they are done, as an
// iterator. Each result is retrieved as by [Task.Await]; those of tasks that were
// done before come first, in the order of ts. It cancels nobody. Cancelling ctx
// ends the iteration with the [CancelledError] in the last pair. It may be
// used more than once, and begins anew then.
func AsCompleted[T any](ctx context.Context, ts ...*Task[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		c := &completion[T]{ts: ts}
		defer c.stop()
		c.start(runningTask(ctx, "AsCompleted"))
		for range ts {
			t, err := c.next(ctx)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			if !yield(t.value, t.retrieve()) {
				return
			}
		}
	}
}

// A completion is one iteration of AsCompleted.
type completion[T any] struct {
	ts       []*Task[T]
	done     []*Task[T] // and not yielded
	left     int        // not yielded
	parked   *task      // who waits for the next
	watchers []watcher
}

func (c *completion[T]) start(by *task) {
	c.left, c.watchers = len(c.ts), make([]watcher, len(c.ts))
	for i, t := range c.ts {
		if t == nil {
			panic(misuse(nil, "AsCompleted: one of the tasks is nil; pass those that there are"))
		}
		if here := by.scope.e; t.scope.e != here {
			panic(misuse(nil, "AsCompleted: %v belongs to %s but was awaited on %s; "+
				"hand values from loop to loop with CallSoon or Submit", t, t.scope.e, here))
		}
		if &t.task == by {
			panic(misuse(nil, "AsCompleted: %v cannot await itself; it would wait for ever", t))
		}
		if t.done {
			c.done = append(c.done, t)
			continue
		}
		c.watchers[i] = watcher{by: by, told: func(*outcome) {
			c.done = append(c.done, t)
			if c.parked != nil && c.parked.waitsFor(c) {
				c.parked.wake()
			}
		}}
		t.watch(&c.watchers[i])
	}
}

func (c *completion[T]) next(ctx context.Context) (*Task[T], error) {
	a, err := newAwait(ctx, "AsCompleted")
	if err == nil && len(c.done) == 0 {
		c.parked = a.t
		err = a.park(c)
		c.parked = nil
	}
	if err != nil {
		return nil, err
	}
	t := c.done[0]
	c.done = c.done[1:]
	c.left--
	return t, nil
}

func (c *completion[T]) stop() {
	for i := range c.watchers {
		c.watchers[i].node.Remove()
	}
}

// String implements [fmt.Stringer].
func (c *completion[T]) String() string {
	return fmt.Sprintf("AsCompleted for %d of %d", c.left, len(c.ts))
}

// sharers implements shared.
func (c *completion[T]) sharers(yield func(*task) bool) {
	for _, t := range c.ts {
		if !t.done && !yield(&t.task) {
			return
		}
	}
}

// settled implements Waiter.
func (t *task) settled() (*outcome, *engine, bool) {
	return &t.outcome, t.scope.e, t.state == Cancelled
}

func (t *task) engineTask() *task { return t }

// settled implements Waiter.
func (f *future) settled() (*outcome, *engine, bool) { return &f.outcome, f.e, f.cancelled }
