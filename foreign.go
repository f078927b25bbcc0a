package asyncio

import (
	"context"

	"github.com/asyncio-go/asyncio/internal/list"
)

// A foreign is a context that is no scope of this loop and that a scope or an
// await obeys. Its cancellation arrives from a goroutine that the standard
// library starts for it, like any call from outside.
type foreign struct {
	ctx    context.Context
	node   list.Node[foreign] // in engine.foreigns
	cancel func(*cancellation)
	stop   func() bool
}

// obey calls cancel, on the loop, when ctx is cancelled, until dismissed.
func (e *engine) obey(ctx context.Context, cancel func(*cancellation)) *foreign {
	f := &foreign{ctx: ctx, cancel: cancel}
	e.foreigns.PushBack(&f.node, f)
	if e.opts.Fence != nil { // every turn asks, because that goroutine would come when it likes
		f.stop = func() bool { return true }
		return f
	}
	f.stop = context.AfterFunc(ctx, func() {
		e.inject(func() {
			if f.node.Linked() {
				// Each tells on a goroutine of its own; who obeys one context is
				// cancelled in order all the same.
				e.arrivals()
			}
		})
	})
	return f
}

func (f *foreign) arrive() {
	if f.node.Linked() {
		f.cancel(cancellationOf(f.ctx))
	}
}

func (f *foreign) dismiss() {
	f.node.Remove()
	f.stop()
}

// arrivals carries out the cancellations that are on their way. A virtual clock
// must not jump before them: what has happened comes before what is due later.
func (e *engine) arrivals() {
	for f := range e.foreigns.All {
		if f.ctx.Err() != nil {
			f.arrive()
		}
	}
}
