package asyncio

import (
	"context"
	"fmt"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// StartIn starts f as a task of g and waits until f calls started, whose value it
// returns: a server that listens, say, and its address. The task goes on then.
//
// If f ends before that, its error is that of StartIn and not the group's. When
// ctx is cancelled before that, so is the task; StartIn returns the cancellation
// once the task has ended.
//
//go:noinline
func StartIn[T any](ctx context.Context, g *TaskGroup, f func(ctx context.Context, started func(T)) error) (T, error) {
	mustFunc(f != nil, "StartIn")
	var value T
	a, err := newAwait(ctx, "StartIn")
	if err != nil {
		return value, err
	}
	child := &Task[struct{}]{}
	w := &starting{&child.task}
	called := false
	child.plain = func(ctx context.Context) error {
		return f(ctx, func(v T) {
			child.scope.e.mustOwn("started")
			if called {
				panic(misuse(ErrInvalidState, "StartIn: %v calls started a second time; call it once, when it is ready", child))
			}
			called = true
			if a.t.waitsFor(w) { // and is not on its way out, because it was cancelled
				value, child.starts = v, false
				a.t.wake()
			}
		})
	}
	child.starts = true
	g.add(&child.task, child, TaskOptions{}, gid.CallerPC(), "StartIn")
	child.waiters.PushBack(&a.t.coro.queued, a.t)
	err = a.park(w)
	switch {
	case err != nil:
		child.abandon(a, err)
	case child.starts:
		child.starts = false
		if err = child.retrieve(); err == nil {
			err = fmt.Errorf("asyncio: StartIn: %v has returned without a call of started", child)
		}
	}
	return value, err
}

// abandon ends a child that StartIn waits for no more. Its error is the group's.
func (t *task) abandon(a await, why error) {
	t.starts = false
	if t.done {
		if t.state == Failed {
			t.group.failed(t.err)
		}
		return
	}
	t.Cancel(why)
	t.waiters.PushBack(&a.t.coro.queued, a.t)
	a.join(t.face)
}

// A starting is what StartIn waits for.
type starting struct{ child *task }

// String implements [fmt.Stringer].
func (s *starting) String() string { return "the start of " + s.child.face.String() }

// sharers implements shared: somebody else may call started.
func (s *starting) sharers(yield func(*task) bool) { s.child.holders(yield) }
