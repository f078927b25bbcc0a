package goker

import (
	"context"
	"time"
)

// A scope is what context.WithCancel makes of a context. It is a value of the task's
// ctx, and does not cancel the task: a kernel's mutexes and channels know nothing of
// contexts, unless it selects on done.
type scope struct {
	parent   *scope
	done     *channel[struct{}]
	children []*scope
}

type scopeKey struct{}

func scopeOf(ctx context.Context) *scope {
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// in is ctx in the scope s, which may be nil.
func (s *scope) in(ctx context.Context) context.Context {
	if s == nil {
		return ctx
	}
	return context.WithValue(ctx, scopeKey{}, s)
}

// withCancel is context.WithCancel.
func withCancel(ctx context.Context) (child context.Context, cancel func(ctx context.Context)) {
	s := &scope{parent: scopeOf(ctx), done: makeChan[struct{}](0)}
	if s.parent != nil {
		s.parent.children = append(s.parent.children, s)
		if s.parent.done.closed {
			s.cancel()
		}
	}
	return s.in(ctx), func(ctx context.Context) {
		step(ctx)
		s.cancel()
	}
}

// withTimeout is context.WithTimeout.
func withTimeout(ctx context.Context, d time.Duration) (child context.Context, cancel func(ctx context.Context)) {
	child, stop := withCancel(ctx)
	timer := loopOf(ctx).CallLater(d, scopeOf(child).cancel)
	return child, func(ctx context.Context) {
		timer.Cancel()
		stop(ctx)
	}
}

// done is ctx.Done(): nil if nobody can cancel ctx.
func done(ctx context.Context) *channel[struct{}] {
	if s := scopeOf(ctx); s != nil {
		return s.done
	}
	return nil
}

// cancelled is ctx.Err() != nil.
func cancelled(ctx context.Context) bool {
	s := scopeOf(ctx)
	return s != nil && s.done.closed
}

func (s *scope) cancel() {
	if s.done.closed {
		return
	}
	s.done.close()
	for _, child := range s.children {
		child.cancel()
	}
}
