package asyncio

import (
	"context"
	"reflect"
	"sync"
	"time"
)

// A cancellation is why a scope ended. All scopes and awaits that it reaches
// share it, so that who was the cause is a question of identity.
type cancellation struct {
	CancelledError
	once sync.Once
	std  context.Context
}

func newCancellation(err, cause error) *cancellation {
	if cause == nil {
		cause = err
	}
	return &cancellation{CancelledError: CancelledError{err: err, cause: cause}}
}

// cancellationOf is the cancellation of a context that is no scope: the one of
// the scope that it derives from, if it has only passed that on.
func cancellationOf(ctx context.Context) *cancellation {
	err, cause := ctx.Err(), context.Cause(ctx)
	if s := scopeOf(ctx); s != nil {
		if c := s.state.Load(); c != nil && c.err == err && sameError(c.cause, cause) {
			return c
		}
	}
	c := newCancellation(err, cause)
	c.foreign = true
	return c
}

// sameError is a == b for errors that may be of a type that has no equality.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// bracketEnded is the cancellation of every scope whose bracket has returned.
var bracketEnded = newCancellation(context.Canceled, nil)

// context is a standard context that was cancelled for the same reason.
func (c *cancellation) context() context.Context {
	c.once.Do(func() {
		if c.err == context.DeadlineExceeded {
			ctx, cancel := context.WithDeadlineCause(context.Background(), time.Unix(0, 0), c.cause)
			cancel()
			c.std = ctx
			return
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(c.cause)
		c.std = ctx
	})
	return c.std
}

// A bridge gives a scope a standard context, to which contexts of the standard
// library attach themselves natively: they start no goroutine, and find the
// scope's error and cause.
//
// ctx is a standard context whose parent is the bridge. The bridge passes on
// what it is fired with: a standard context that was cancelled the same way.
type bridge struct {
	ctx context.Context

	mu     sync.Mutex
	source context.Context // nil until fired
	cancel func()          // cancels ctx with source's error and cause
}

// bridge is the scope's bridge, made when it is first asked for.
func (s *scope) bridge() *bridge {
	b := s.std.Load()
	if b == nil {
		b = s.newBridge()
	}
	// The scope may have been cancelled before it had a bridge, or just now.
	if c := s.state.Load(); c != nil {
		b.fire(c)
	}
	return b
}

func (s *scope) newBridge() *bridge {
	b := &bridge{}
	ctx, cancel := context.WithCancelCause(b)
	_ = cancel // it ends through b.cancel, which AfterFunc was given
	b.ctx = ctx
	if !s.std.CompareAndSwap(nil, b) {
		return s.std.Load()
	}
	if up := s.up.Load(); up != nil { // retired just now
		above := up.bridge().ctx
		context.AfterFunc(above, func() { b.fire(cancellationOf(above)) })
	}
	return b
}

func (s *scope) bridgeCancelled(c *cancellation) {
	if b := s.std.Load(); b != nil {
		b.fire(c)
	}
}

func (b *bridge) fire(c *cancellation) {
	b.mu.Lock()
	first := b.source == nil
	if first {
		b.source = c.context()
	}
	b.mu.Unlock()
	if first {
		b.cancel()
	}
}

func (b *bridge) fired() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.source
}

// The methods below are the bridge as the parent of its ctx.

var neverDone = make(chan struct{})

func (b *bridge) Deadline() (time.Time, bool) { return time.Time{}, false }
func (b *bridge) Done() <-chan struct{}       { return neverDone }

func (b *bridge) Err() error {
	if src := b.fired(); src != nil {
		return src.Err()
	}
	return nil
}

func (b *bridge) Value(key any) any {
	if src := b.fired(); src != nil {
		return src.Value(key)
	}
	return nil
}

// AfterFunc is how the standard library hands over what cancels ctx.
func (b *bridge) AfterFunc(cancel func()) (stop func() bool) {
	b.cancel = cancel
	return func() bool { return false }
}
