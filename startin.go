package asyncio

import (
	"context"
	"errors"
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
	var zero T
	a, err := newAwait(ctx, "StartIn")
	if err != nil {
		return zero, err
	}
	s := &starter[T]{by: a.t, f: f}
	s.starts = true
	g.add(&s.task, s, TaskOptions{}, gid.CallerPC(), "StartIn")
	s.waiters.PushBack(&a.t.coro.queued, a.t)
	if err := a.park((*starting)(&s.task)); err != nil {
		return zero, s.abandon(a, err)
	}
	if s.starts {
		s.starts = false
		if err := s.retrieve(); err != nil {
			return zero, err
		}
		return zero, fmt.Errorf("asyncio: StartIn: %v has returned without a call of started", s)
	}
	return s.ready, nil
}

// A starter is a task that somebody waits for until it is ready.
type starter[T any] struct {
	Task[struct{}]
	by     *task
	f      func(ctx context.Context, started func(T)) error
	ready  T
	called bool
}

// run implements body.
func (s *starter[T]) run() { s.finish(s.f(&s.scope, s.started)) }

//go:norace
func (s *starter[T]) entry() any { return s.f }

func (s *starter[T]) started(v T) {
	s.scope.e.mustOwn("started")
	if s.called {
		panic(misuse(ErrInvalidState, "StartIn: %v calls started a second time; call it once, when it is ready", s))
	}
	s.called = true
	if s.by.waitsFor((*starting)(&s.task)) { // and is not on its way out, because it was cancelled
		s.ready, s.starts = v, false
		s.by.wake()
	}
}

// abandon ends a task that StartIn waits for no more, and returns why. The error
// of the task is the group's then, if that still asks.
func (t *task) abandon(a await, why error) error {
	t.starts = false
	if t.done {
		switch {
		case t.state != Failed:
		case t.group.closed:
			return errors.Join(why, t.err)
		default:
			t.group.failed(t, t.err)
		}
		return why
	}
	t.Cancel(why)
	t.waiters.PushBack(&a.t.coro.queued, a.t)
	if a.t.isWaitedFor() {
		a.t.breakCircles(t.face)
	}
	a.join(t.face)
	return why
}

// A starting is what StartIn waits for: that a task is ready.
type starting task

// String implements [fmt.Stringer].
func (s *starting) String() string { return "the start of " + (*task)(s).describe("") }

// sharers implements shared: somebody else may call started.
func (s *starting) sharers(yield func(*task) bool) { certain((*task)(s))(yield) }
