package asyncio

import (
	"context"
	"fmt"
	"sync"

	"github.com/asyncio-go/asyncio/internal/gid"
	"github.com/asyncio-go/asyncio/internal/list"
)

// A Submission is the result of a [Submit]: a future that goroutines can wait
// for. Its methods are safe from any goroutine.
type Submission[T any] struct {
	ticket
	value   T
	err     error
	task    *Task[T] // held, so that its error is not reported while somebody may wait
	failure *failure // the report that is due unless somebody waits
	waiting int      // how many block in Wait; guarded by inbox.mu
}

// A ticket is a Submission as its loop sees it, which owes it an end.
type ticket struct {
	e    *engine
	node list.Node[ticket] // in inbox.open
	once sync.Once
	done chan struct{}
	lost func() // called if the loop closes before the task is done
}

// Submit runs f as a task of l, from any goroutine, and returns at once. It is
// asyncio's run_coroutine_threadsafe. If the loop is closed before f is done,
// the error matches [ErrLoopClosed].
//
//go:noinline
func Submit[T any](l *Loop, f func(ctx context.Context) (T, error)) *Submission[T] {
	mustFunc(f != nil, "Submit")
	pc := gid.CallerPC()
	e := l.e
	s := &Submission[T]{ticket: ticket{e: e, done: make(chan struct{})}}
	s.lost = func() {
		var zero T
		s.end(zero, fmt.Errorf("asyncio: Submit: %w: %s did not finish %s", ErrLoopClosed, e, funcName(f)), nil)
	}
	s.open(func() {
		t := &Task[T]{fn: f}
		s.task = t
		t.scope.begin(e, e.root, nil, e.root)
		t.watch(&watcher{told: func(*outcome) { s.end(t.value, t.err, t.rest.failure) }})
		t.join(e, t, TaskOptions{}, pc)
	})
	return s
}

// open has the loop call start.
func (t *ticket) open(start func()) {
	in := &t.e.inbox
	in.mu.Lock()
	closed := in.closed
	if !closed {
		in.open.PushBack(&t.node, t)
	}
	in.mu.Unlock()
	if closed || !t.e.inject(start) {
		t.lost()
	}
}

// end settles the submission, once.
func (s *Submission[T]) end(v T, err error, f *failure) {
	s.once.Do(func() {
		s.e.inbox.mu.Lock()
		defer s.e.inbox.mu.Unlock()
		s.node.Remove()
		s.value, s.err, s.failure = v, err, f
		if f != nil && s.waiting > 0 {
			f.seen.Store(true) // the loop may close before they are awake
		}
		close(s.done)
	})
}

// Wait blocks the calling goroutine until the task is done, and returns its
// result, or until ctx is cancelled, and returns [context.Cause]; the task goes
// on then. In a task or callback, of whatever loop, it would block that loop
// and panics unless the task is done: receive from Done with [Recv] first.
//
// It blocks for ever if nobody runs the loop: the host that drives one with
// [Loop.Step] must not wait for it.
func (s *Submission[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-s.done:
	default:
		if here := loopHere(); here != nil {
			panic(misuse(nil, "Submission.Wait: would block %s; on a loop, Recv(ctx, s.Done()) first", here))
		}
		if !s.block(ctx) {
			var zero T
			return zero, context.Cause(ctx)
		}
	}
	if s.failure != nil {
		s.failure.seen.Store(true)
	}
	return s.value, s.err
}

// block waits for the end, and reports false if ctx is cancelled first.
func (s *Submission[T]) block(ctx context.Context) (ended bool) {
	count := func(n int) {
		s.e.inbox.mu.Lock()
		defer s.e.inbox.mu.Unlock()
		s.waiting += n
		select {
		case <-s.done:
			ended = true
		default:
		}
	}
	count(1)
	select {
	case <-s.done:
	case <-ctx.Done():
	}
	count(-1)
	return ended
}

// Done is closed when the task is done, or the loop closed.
func (s *Submission[T]) Done() <-chan struct{} { return s.done }

// Cancel cancels the task; what awaits in it unwraps to cause, which may be nil.
func (s *Submission[T]) Cancel(cause error) {
	s.e.inject(func() { // after the call that starts it
		if t := s.task; t != nil && !t.done {
			t.scope.cancel(newCancellation(context.Canceled, cause))
		}
	})
}
