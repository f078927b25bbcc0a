package asyncio

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/asyncio-go/asyncio/internal/list"
)

// A failure is the error of a task or future that nobody has asked for yet. It
// is reported when the object becomes unreachable, so that nobody can any more,
// and at the latest when the loop closes. It holds nothing of the object, or
// that would never become unreachable.
type failure struct {
	message string
	object  string
	created string
	err     error

	e       *engine
	node    list.Node[failure]
	seen    atomic.Bool // retrieved by another goroutine, through a Submission
	cleanup runtime.Cleanup
}

// newFailure registers f with the loop.
func (e *engine) newFailure(f *failure) *failure {
	f.e = e
	e.failures.PushBack(&f.node, f)
	return f
}

// retrieved takes f back: somebody has asked for the error.
func (f *failure) retrieved() {
	f.cleanup.Stop()
	f.node.Remove()
}

// unreachable is called by the garbage collector, on a goroutine of its own.
func (f *failure) unreachable() { f.e.dropped.add(func() { f.report() }) }

func (f *failure) report() {
	if !f.node.Linked() {
		return
	}
	f.node.Remove()
	if !f.seen.Load() {
		f.e.report(ExceptionContext{Message: f.message, Err: f.err, Object: f.object, Created: f.created})
	}
}

// reportFailures reports what is still unretrieved when the loop closes.
func (e *engine) reportFailures() {
	for !e.failures.Empty() { // the exception handler may retrieve others
		e.failures.Front().report()
	}
}

// A dropBox takes what the garbage collector has for a loop. It never wakes the
// loop: the collector's goroutine may be outside of the synctest bubble that
// the loop is in, and then must not.
type dropBox struct {
	pending atomic.Bool
	mu      sync.Mutex
	calls   []func()
}

func (d *dropBox) add(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, f)
	d.pending.Store(true)
}

func (e *engine) collectDropped() {
	d := &e.dropped
	for { // one by one, because an exception handler may Goexit
		d.mu.Lock()
		if len(d.calls) == 0 {
			d.calls = nil
			d.pending.Store(false)
			d.mu.Unlock()
			return
		}
		f := d.calls[0]
		d.calls = d.calls[1:]
		d.mu.Unlock()
		f()
	}
}
