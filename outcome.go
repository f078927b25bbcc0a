package asyncio

import (
	"context"
	"fmt"
	"slices"

	"github.com/asyncio-go/asyncio/internal/list"
)

// An outcome is what a task or a future ends with, less the value, and who
// waits for it.
type outcome struct {
	err     error
	waiters list.List[task]
	rest    *aftermath // nil for most
	done    bool
}

// An aftermath is what few outcomes have.
type aftermath struct {
	failure   *failure // the report that is due unless somebody retrieves the error
	callbacks []*Handle
	watchers  list.List[watcher]
}

// A watcher is told of an outcome at once, not by way of the ready queue.
type watcher struct {
	node list.Node[watcher]
	told func(o *outcome)
	by   *task // who waits, or nil
}

func (o *outcome) watch(w *watcher) { o.aftermath().watchers.PushBack(&w.node, w) }

func (o *outcome) aftermath() *aftermath {
	if o.rest == nil {
		o.rest = &aftermath{}
	}
	return o.rest
}

// await waits until o is done; whose is the task or future that o belongs to.
func (o *outcome) await(ctx context.Context, e *engine, whose fmt.Stringer, fn string) error {
	a, err := newAwait(ctx, fn)
	if err != nil {
		return err
	}
	if here := a.t.scope.e; here != e {
		panic(misuse(nil, "%s: %v belongs to %s but was awaited on %s; "+
			"hand values from loop to loop with CallSoon or Submit", fn, whose, e, here))
	}
	if o == &a.t.outcome {
		panic(misuse(nil, "%s: %v cannot await itself; it would wait for ever", fn, whose))
	}
	if o.done {
		return nil
	}
	if a.t.isWaitedFor() {
		if err := a.t.closesCircle(whose); err != nil {
			return err
		}
	}
	o.waiters.PushBack(&a.t.coro.queued, a.t)
	return a.park(whose)
}

// settle ends the wait for o: callbacks are scheduled and waiters woken, each
// in the order in which they came.
func (o *outcome) settle(err error) {
	o.done, o.err = true, err
	if o.rest != nil {
		o.finishRest()
	}
	for t := range o.waiters.All {
		t.wake()
	}
}

func (o *outcome) finishRest() {
	for w := range o.rest.watchers.All {
		w.node.Remove()
		w.told(o)
	}
	for _, h := range o.rest.callbacks {
		h.ready()
	}
	o.rest.callbacks = nil
}

// nudge tells the host of a loop at rest that the loop has something to run.
func (e *engine) nudge() {
	if !e.owned() {
		e.Wake()
	}
}

// retrieve is the error; whoever asks has seen it.
func (o *outcome) retrieve() error {
	if o.rest != nil && o.rest.failure != nil {
		o.rest.failure.retrieved()
		o.rest.failure = nil
	}
	return o.err
}

// addCallback schedules h when o is done.
func (o *outcome) addCallback(h *Handle) {
	if o.done {
		if h.e.state.Load() == loopClosed {
			h.drop()
		} else {
			h.ready()
		}
		return
	}
	a := o.aftermath()
	if len(a.callbacks) == cap(a.callbacks) { // those that were taken back go before the slice grows
		a.callbacks = slices.DeleteFunc(a.callbacks, (*Handle).Cancelled)
	}
	a.callbacks = append(a.callbacks, h)
}
