package asyncio

import (
	"context"
	"fmt"

	"github.com/asyncio-go/asyncio/internal/list"
)

// An outcome is what a task or a future ends with, less the value, and who
// waits for it.
type outcome struct {
	done      bool
	err       error
	failure   *failure // the report that is due unless somebody retrieves err
	waiters   list.List[task]
	callbacks []*Handle
	hook      func() // called at once, not by way of the ready queue
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
	if whose == fmt.Stringer(a.t.face) {
		panic(misuse(nil, "%s: %v cannot await itself; it would wait for ever", fn, whose))
	}
	if o.done {
		return nil
	}
	o.waiters.PushBack(&a.t.queueNode, a.t)
	return a.park(whose)
}

// settle ends the wait for o: callbacks are scheduled and waiters woken, each
// in the order in which they came.
func (o *outcome) settle(e *engine, err error) {
	o.done, o.err = true, err
	if o.hook != nil {
		o.hook()
	}
	for _, h := range o.callbacks {
		h.ready()
	}
	o.callbacks = nil
	for t := range o.waiters.All {
		t.wake()
	}
}

// retrieve is the error; whoever asks has seen it.
func (o *outcome) retrieve() error {
	if o.failure != nil {
		o.failure.retrieved()
		o.failure = nil
	}
	return o.err
}

// addCallback schedules h when o is done.
func (o *outcome) addCallback(h *Handle) {
	if o.done {
		h.ready()
		return
	}
	o.callbacks = append(o.callbacks, h)
}
