package asyncio

import (
	"context"
	"fmt"
	"sync"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// A Submission is the result of a [Submit]: a future that goroutines can wait
// for. Its methods are safe from any goroutine.
type Submission[T any] struct {
	e      *engine
	cancel context.CancelCauseFunc
	done   chan struct{}
	value  T
	err    error

	mu      sync.Mutex
	failure *failure
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
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &Submission[T]{e: e, cancel: cancel, done: make(chan struct{})}
	start := func() {
		t := &Task[T]{fn: f}
		t.scope.begin(e, e.root, ctx, ctx)
		t.aftermath().hook = func() {
			s.value, s.err = t.value, t.err
			s.failure = t.rest.failure
			cancel(nil)
			close(s.done)
		}
		t.join(e, t, TaskOptions{}, pc)
	}
	lost := func() {
		s.err = fmt.Errorf("asyncio: Submit: %w: %s did not run %s", ErrLoopClosed, e, funcName(f))
		cancel(nil)
		close(s.done)
	}
	if !e.injectCall(injected{run: start, lost: lost}) {
		lost()
	}
	return s
}

// Wait blocks the calling goroutine until the task is done, and returns its
// result, or until ctx is cancelled, and returns [context.Cause]; the task goes
// on then. On the loop itself, which would wait for itself, it panics.
func (s *Submission[T]) Wait(ctx context.Context) (T, error) {
	if s.e.owned() {
		panic(misuse(nil, "Submission.Wait: would block %s, which has to run the task; use Spawn and Await on the loop", s.e))
	}
	select {
	case <-s.done:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.failure != nil {
			s.failure.seen.Store(true)
			s.failure = nil
		}
		return s.value, s.err
	case <-s.e.gone:
		var zero T
		return zero, fmt.Errorf("asyncio: Submit: %w: %s left the task behind", ErrLoopClosed, s.e)
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

// Done is closed when the task is done.
func (s *Submission[T]) Done() <-chan struct{} { return s.done }

// Cancel cancels the task.
func (s *Submission[T]) Cancel(cause error) { s.cancel(cause) }
