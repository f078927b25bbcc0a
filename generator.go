package asyncio

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// A Generator produces values one by one, on demand, by a function that may
// await in between: an asynchronous generator. It belongs to its loop. Use it
// up, or close it; breaking out of All closes it too. One that is dropped
// half-way is closed after the garbage collector has noticed, and those that
// are left when the loop is closed are closed then.
type Generator[T any] struct {
	g       *generator[T] // which does not point back, so that a dropped handle is noticed
	cleanup runtime.Cleanup
}

// generator is the body. It is a coroutine of the loop like a task; Next and
// yield pass the loop to each other within a turn.
type generator[T any] struct {
	task
	fn       func(context.Context, func(T) bool) error
	value    T
	full     bool  // value is there and nobody has taken it
	started  bool  // the body has run
	atYield  bool  // it waits in yield
	ending   bool  // it is being closed: yield returns false
	refused  bool  // it has
	closers  int   // calls of Close that wait, and will be told the error
	consumer *task // who waits in Next
}

// Generate makes a generator of f, which calls yield with each value, and
// returns when there are no more. yield returns false when nobody wants more:
// f must return then, and may await in deferred functions. Nothing of f runs
// before the first Next.
//
// The ctx of f carries ctx's values but is not cancelled with it: a consumer
// that is cancelled leaves the generator as it is.
//
//go:noinline
func Generate[T any](ctx context.Context, f func(ctx context.Context, yield func(T) bool) error) *Generator[T] {
	mustFunc(f != nil, "Generate")
	e := loopOf(ctx, "Generate")
	e.mustOwn("Generate")
	g := &generator[T]{fn: f}
	g.scope.begin(e, nil, nil, ctx)
	g.scope.deadline = forever
	g.face, g.made = g, gid.CallerPC()
	g.identify(e, "")
	return &Generator[T]{g: g}
}

// Next runs the body up to its next yield and returns the value; ok is false
// when there are no more, and err then is the body's error, once.
//
// Cancelling ctx ends the wait with a [CancelledError] and leaves the body
// where it is: the next Next returns the value that it comes to. A Next while
// another one waits fails with [ErrGeneratorBusy]. A panic of the body is passed
// on to the caller.
func (h *Generator[T]) Next(ctx context.Context) (v T, ok bool, err error) {
	g := h.g
	a, err := newAwait(ctx, "Generator.Next")
	if err != nil {
		return v, false, err
	}
	g.mustBeHere(a.t, "Generator.Next")
	if g.puller() != nil || a.t == &g.task {
		return v, false, fmt.Errorf("asyncio: Generator.Next: %w: %v; wait for the other Next", ErrGeneratorBusy, g)
	}
	if !g.full && !g.done {
		if !g.started {
			if !g.start() {
				return v, false, nil
			}
			if g.scope.e.opts.Fence == nil { // the garbage collector comes when it likes
				h.cleanup = runtime.AddCleanup(h, (*generator[T]).dropped, g)
			}
		} else if g.atYield {
			g.wakeNext()
		}
		if a.t.isWaitedFor() {
			if err := a.t.closesCircle(h); err != nil {
				return v, false, err
			}
		}
		g.consumer, g.pulled = a.t, true // and stays so if a forced unwind ends it
		err := a.park(h)
		g.consumer, g.pulled = nil, false
		if err != nil {
			return v, false, err
		}
	}
	if g.full {
		var zero T
		v, g.value, g.full = g.value, zero, false
		runtime.KeepAlive(h)
		return v, true, nil
	}
	h.cleanup.Stop()
	return v, false, g.takeError()
}

// All are the values as an iterator that can be used once. An error ends it,
// with the last pair. Breaking out of the loop closes the generator at once.
func (h *Generator[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		defer func() {
			if err := h.Close(ctx); err != nil {
				h.g.reportClosing(err)
			}
		}()
		for {
			v, ok, err := h.Next(ctx)
			if err != nil || !ok {
				if err != nil {
					yield(v, err)
				}
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

// Close ends the generator: a body that waits in yield continues with yield
// returning false, one that waits in another await is cancelled. Close waits
// until the body has returned, also if ctx is cancelled, and returns its error.
// Closing twice does nothing.
func (h *Generator[T]) Close(ctx context.Context) error {
	defer runtime.KeepAlive(h)
	g := h.g
	a := newJoin(ctx, "Generator.Close")
	g.mustBeHere(a.t, "Generator.Close")
	if a.t == &g.task {
		panic(misuse(ErrGeneratorBusy, "Generator.Close: %v cannot close itself; return from its function", g))
	}
	if g.done {
		return nil
	}
	g.closers++
	g.finishEarly()
	if !g.done {
		if a.t.isWaitedFor() {
			a.t.breakCircles(h)
		}
		g.waiters.PushBack(&a.t.coro.queued, a.t)
		a.join(h)
	}
	h.cleanup.Stop()
	return g.takeError()
}

// String is the generator as asyncio prints one.
func (h *Generator[T]) String() string { return h.g.String() }

// Name is that of a task in its place, but says what it is.
//
//go:norace
func (g *generator[T]) Name() string {
	if g.name != nil {
		return *g.name
	}
	return "Generator-" + strings.TrimPrefix(g.task.Name(), "Task-")
}

func (g *generator[T]) String() string {
	s := "<Generator " + g.Name() + " " + funcName(g.fn) + "()"
	if e := g.scope.e; e.owned() || e.atRest() { // or the rest changes under our eyes
		s += " " + g.state.String()
	}
	return s + g.suffix() + ">"
}

func (g *generator[T]) mustBeHere(t *task, fn string) {
	if here := t.scope.e; here != g.scope.e {
		panic(misuse(nil, "%s: %v belongs to %s but was used on %s; "+
			"hand values from loop to loop with CallSoon or Submit", fn, g, g.scope.e, here))
	}
}

// holder implements held: the body must yield or end.
func (h *Generator[T]) holder(i int) (*task, bool) { return h.g.holder(i) }

// puller is who is in Next, or nil.
func (g *generator[T]) puller() *task {
	if t := g.consumer; t != nil && t.coro != nil {
		if h, ok := t.coro.on.(*Generator[T]); ok && h.g == g {
			return t
		}
	}
	return nil
}

// isClosed reports whether t is the body of a generator whose yield has returned
// false.
func (t *task) isClosed() bool {
	b, ok := t.face.(interface{ hasRefused() bool })
	return ok && b.hasRefused()
}

func (g *generator[T]) hasRefused() bool { return g.refused }

// start has the body run next, for the first time.
func (g *generator[T]) start() bool {
	e := g.scope.e
	if e.wind.gensClosed {
		e.log.Warn(fmt.Sprintf("asyncio: asynchronous generator %v was started after the loop has closed its generators", g))
		g.finishEarly()
		return false
	}
	g.started = true
	e.gens.PushBack(&g.node, &g.task)
	if e.slot != nil {
		g.makeReady()
		return true
	}
	g.state, e.slot = Ready, &g.task
	return true
}

// run implements body.
func (g *generator[T]) run() { g.finish(g.fn(&g.scope, g.yield)) }

func (g *generator[T]) yield(v T) bool {
	e := g.scope.e
	if !e.owned() || e.cur != &g.task {
		panic(misuse(nil, "yield: called outside of the function of %v", g))
	}
	e.mustMayAwait("yield")
	if g.ending && !g.refused {
		g.refused = true
		return false
	}
	if g.ending {
		panic(misuse(nil, "yield: called again by %v after it returned false; return instead", g))
	}
	g.value, g.full, g.atYield = v, true, true
	if t := g.puller(); t != nil {
		t.wakeNext()
	}
	_ = await{t: &g.task}.park("yield")
	g.atYield, g.refused = false, g.ending
	return !g.ending
}

// finishEarly has the body come to its end.
func (g *generator[T]) finishEarly() {
	switch {
	case g.done || g.ending:
	case !g.started:
		g.ending, g.state = true, Succeeded
		g.end(nil)
	case g.atYield:
		g.ending = true
		g.wake()
	default:
		g.ending = true
		g.scope.cancel(newCancellation(context.Canceled, errGeneratorClosed))
	}
}

var errGeneratorClosed = errors.New("the generator is being closed")

// finish implements body.
func (g *generator[T]) finish(err error) {
	var zero T
	c := g.scope.state.Load()
	switch {
	case g.state == Panicked || g.state == Cancelled: // by the way it left its function
	case err == nil:
		g.state = Succeeded
	case g.ending && c != nil && c.caused(err):
		g.state, err = Cancelled, nil
	default:
		g.state = Failed
	}
	if g.state == Cancelled && g.doom != spared {
		err = nil
	}
	if g.ending {
		g.value, g.full = zero, false
	}
	consumer := g.puller()
	if consumer != nil {
		consumer.wakeNext()
	}
	g.end(err)
	switch {
	case err == nil || consumer != nil || g.closers > 0:
	case !g.ending: // once somebody asks
		g.aftermath().failure = g.scope.e.newFailure(&failure{
			message: "Generator exception was never retrieved", object: g.String(), created: g.created(), err: err})
	default:
		g.err = nil
		g.reportClosing(err)
	}
}

// takeError is the body's error, the first time; a panic it passes on.
func (g *generator[T]) takeError() error {
	err := g.retrieve()
	g.err = nil
	if g.state == Panicked && err != nil {
		panic(err)
	}
	return err
}

func (g *generator[T]) reportClosing(err error) {
	g.scope.e.report(ExceptionContext{
		Message: "an error occurred during closing of asynchronous generator",
		Err:     err, Object: g.String(), Created: g.created()})
}

//go:norace
func (g *generator[T]) entry() any { return g.fn }

// dropped is called by the garbage collector.
func (g *generator[T]) dropped() {
	g.scope.e.dropped.add(func() {
		g.finishEarly()
		if g.rest != nil && g.rest.failure != nil {
			g.rest.failure.report()
		}
	})
}

// closeGenerators has all generators come to their ends, at the same time.
func (e *engine) closeGenerators() {
	e.wind.gensClosed = true
	for t := range e.gens.All {
		t.face.(interface{ finishEarly() }).finishEarly()
	}
}
