package asyncio

import (
	"context"
	"time"
)

var _ context.Context = (*scope)(nil)

// scopeKey is the key under which a scope's Value returns the scope.
type scopeKey struct{}

// scopeOf is the innermost scope of ctx, or nil.
func scopeOf(ctx context.Context) *scope {
	if s, ok := ctx.(*scope); ok {
		return s
	}
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// loopOf is the loop of ctx; without one it panics.
func loopOf(ctx context.Context, fn string) *engine {
	if ctx == nil {
		panic(misuse(ErrNoLoop, "%s: the context is nil; pass the ctx that your coroutine was given", fn))
	}
	s := scopeOf(ctx)
	if s == nil {
		panic(misuse(ErrNoLoop, "%s: no running event loop in this context; pass the ctx that your coroutine "+
			"was given, or enter a loop with asyncio.Run(ctx, main)", fn))
	}
	return s.e
}

// governor is what governs an await under ctx: a scope, some other context
// that may be cancelled, or nothing. The caller is on the loop of ctx.
func governor(ctx context.Context, fn string) (*scope, context.Context) {
	s := scopeOf(ctx)
	e := loopOf(ctx, fn)
	// A scope that is probed answers Done with a mark, so that asking which
	// contexts lie between makes no standard context for it.
	e.probed = s
	done := ctx.Done()
	e.probed = nil
	switch done {
	case nil:
		return nil, nil // context.WithoutCancel
	case probeMark:
		s = s.living()
		if ctx := s.proxied(); ctx != nil {
			return nil, ctx
		}
		return s, nil
	default:
		return nil, ctx
	}
}

var probeMark = make(<-chan struct{})

//go:norace
func (s *scope) isProbed() bool { return s.e.probed == s && s.e.owned() }

// Deadline implements [context.Context].
func (s *scope) Deadline() (time.Time, bool) {
	if s.deadline == forever {
		return time.Time{}, false
	}
	return s.e.shown(s.deadline), true
}

// Done implements [context.Context].
func (s *scope) Done() <-chan struct{} {
	if s.isProbed() {
		return probeMark
	}
	a := s.answering()
	if ctx := a.proxied(); ctx != nil {
		return ctx.Done()
	}
	return a.bridge().ctx.Done()
}

// Err implements [context.Context].
func (s *scope) Err() error {
	a := s.answering()
	if ctx := a.proxied(); ctx != nil {
		return ctx.Err()
	}
	if c := a.state.Load(); c != nil {
		a.awaitBridge()
		return c.err
	}
	if a.up.Load() != nil { // retired: its bridge knows
		return a.std.Load().ctx.Err()
	}
	return nil
}

// awaitBridge returns when Done, if somebody has asked for it, is closed: Err
// and Cause must not be ahead of it. The scope is cancelled.
func (s *scope) awaitBridge() {
	if b := s.std.Load(); b != nil {
		<-b.ctx.Done()
	}
}

// answering is the scope that knows whether s is cancelled: s itself, or once
// its task is done, unless somebody asked for its Done before, the one above.
func (s *scope) answering() *scope {
	for s.state.Load() == nil && s.std.Load() == nil {
		up := s.up.Load()
		if up == nil {
			break
		}
		s = up
	}
	return s
}

// Value implements [context.Context]. Standard contexts that derive from s
// look for a standard one to attach to; they find its bridge.
func (s *scope) Value(key any) any {
	if key == (scopeKey{}) {
		return s
	}
	if key != cancelKey {
		return s.from.values.Value(key)
	}
	a := s.answering()
	if ctx := a.proxied(); ctx != nil {
		return ctx.Value(key)
	}
	c := a.state.Load()
	if c != nil {
		a.awaitBridge()
	}
	if b := a.std.Load(); b != nil {
		return b.ctx.Value(key)
	}
	if c != nil {
		return c.context().Value(key)
	}
	return nil // not cancelled, whatever lies above
}

func (s *scope) String() string { return "asyncio.Scope(" + s.e.String() + ")" }

// cancelKey is the key under which the standard library looks for a context of
// its own to attach to, or to ask for the cause. Watching it look tells the key.
var cancelKey = func() any {
	p := &keyProbe{Context: context.Background()}
	_ = context.Cause(p)
	return p.key
}()

type keyProbe struct {
	context.Context
	key any
}

func (p *keyProbe) Err() error        { return context.Canceled }
func (p *keyProbe) Value(key any) any { p.key = key; return nil }
