package asyncio

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
	"weak"

	"github.com/asyncio-go/asyncio/internal/list"
)

// A scope is a context of one loop, and what a cancellation reaches: the tasks
// that wait under it and the scopes below it. Every task owns one; WithCancel
// and the brackets (Timeout, Shield) make more.
//
// Done, Err, Value and Deadline are safe from any goroutine; everything else
// belongs to the loop.
type scope struct {
	e        *engine
	values   context.Context // answers Value; never a scope, or a chain of tasks would keep all its ancestors
	parent   *scope          // the nearest living scope whose cancellation reaches this one, or nil
	node     list.Node[scope]
	kids     list.List[scope]
	parked   list.List[task] // who waits under this scope
	rare     *rareScope
	deadline int64  // of this scope or the nearest above; forever if none
	seq      uint64 // order of creation in the loop

	// state is nil until s is cancelled and never changes after. Whoever sets it
	// fires the bridge next: Err waits for that.
	state atomic.Pointer[cancellation]
	up    atomic.Pointer[scope]  // set once its task is done: what it governed hangs there now
	std   atomic.Pointer[bridge] // the standard context in its place, made when asked for
}

// A rareScope is what few scopes have.
type rareScope struct {
	above   *foreign              // a parent that is no scope
	orphans []weak.Pointer[scope] // retired scopes below whose Done somebody may wait for
}

func (s *scope) more() *rareScope {
	if s.rare == nil {
		s.rare = &rareScope{}
	}
	return s.rare
}

var _ context.Context = (*scope)(nil)

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

// begin makes s a scope below ctx. The caller is on the loop of ctx, or gives
// a context of no loop to the root.
func (s *scope) begin(e *engine, parent *scope, foreign, values context.Context) {
	s.e, s.parent, s.deadline = e, parent, forever
	if v, ok := values.(*scope); ok && v.e == e {
		s.values, s.deadline = v.values, v.deadline
	} else {
		s.values = values
		if d, ok := values.Deadline(); ok {
			s.deadline = int64(d.Sub(e.epoch))
		}
	}
	e.scopeSeq++
	s.seq = e.scopeSeq
	if parent != nil {
		parent.kids.PushBack(&s.node, s)
		if c := parent.state.Load(); c != nil {
			s.state.Store(c)
		}
	}
	if foreign != nil {
		s.follow(foreign)
	}
}

// derive is begin for a scope below any context of the caller's loop.
func (s *scope) derive(e *engine, ctx context.Context, fn string) {
	if parent, ok := ctx.(*scope); ok && parent.up.Load() == nil {
		s.begin(e, parent, nil, ctx)
		return
	}
	parent, foreign := governor(ctx, fn)
	s.begin(e, parent, foreign, ctx)
}

// follow cancels s when a context that is no scope is cancelled.
func (s *scope) follow(ctx context.Context) {
	if ctx.Err() != nil {
		s.cancel(cancellationOf(ctx))
		return
	}
	s.more().above = s.e.obey(ctx, func(c *cancellation) { s.cancel(c) })
}

func (s *scope) unfollow() {
	if s.rare != nil && s.rare.above != nil {
		s.rare.above.dismiss()
		s.rare.above = nil
	}
}

// living is s, or the nearest scope above whose task is not done; nil if
// there is none.
func (s *scope) living() *scope {
	for s != nil && s.state.Load() == nil {
		up := s.up.Load()
		if up == nil {
			break
		}
		s = up
	}
	return s
}

// isCancelled reports whether s is cancelled, also by a context above that is no
// scope and whose cancellation is still on its way.
func (s *scope) isCancelled() bool {
	if s.state.Load() != nil {
		return true
	}
	if s.e.foreigns.Empty() {
		return false
	}
	for p := s; p != nil; p = p.parent {
		if p.rare != nil && p.rare.above != nil && p.rare.above.ctx.Err() != nil {
			p.rare.above.arrive()
			break
		}
	}
	return s.state.Load() != nil
}

// cancelled is the error of an await under s, which is cancelled.
func (s *scope) cancelled() error { return &s.state.Load().CancelledError }

// cancel cancels s and everything below it, in order of creation. It reports
// whether s was not cancelled before. It is safe from any goroutine: what
// belongs to the loop is left to the loop.
func (s *scope) cancel(c *cancellation) bool {
	if !s.state.CompareAndSwap(nil, c) {
		return false
	}
	s.bridgeCancelled(c)
	if s.e.owned() {
		s.spread(c)
	} else if !s.e.inject(func() { s.spread(c) }) {
		s.spreadClosed(c)
	}
	return true
}

// spread carries a cancellation of s to what waits under it and lies below it.
func (s *scope) spread(c *cancellation) {
	var waiting []*task
	s.collect(c, &waiting)
	if len(waiting) > 1 {
		slices.SortFunc(waiting, func(a, b *task) int { return cmp.Compare(a.scope.seq, b.scope.seq) })
	}
	for _, t := range waiting {
		t.interrupt(c)
	}
}

// spreadClosed is spread where no loop is left to do it: nobody waits there any
// more, but other goroutines may look at contexts below.
func (s *scope) spreadClosed(c *cancellation) {
	s.e.inbox.mu.Lock()
	defer s.e.inbox.mu.Unlock()
	var nobody []*task
	s.collect(c, &nobody)
}

func (s *scope) collect(c *cancellation, waiting *[]*task) {
	for t := range s.parked.All {
		*waiting = append(*waiting, t)
	}
	for kid := range s.kids.All {
		if kid.state.CompareAndSwap(nil, c) {
			kid.bridgeCancelled(c)
			kid.collect(c, waiting)
		}
	}
	if s.rare == nil {
		return
	}
	for _, w := range s.rare.orphans {
		if kid := w.Value(); kid != nil && kid.state.CompareAndSwap(nil, c) {
			kid.bridgeCancelled(c)
		}
	}
}

// close ends a bracket's scope: what still runs below it is cancelled.
func (s *scope) close() {
	s.unfollow()
	if s.kids.Empty() && s.parked.Empty() && s.rare == nil {
		if s.state.CompareAndSwap(nil, bracketEnded) {
			s.bridgeCancelled(bracketEnded)
		}
	} else {
		s.cancel(bracketEnded)
	}
	s.node.Remove()
}

// retire ends a task's scope. What the task started lives on: it moves to the
// nearest living scope above.
func (s *scope) retire() {
	if s.rare != nil && s.rare.above != nil {
		s.retireBelow(s.rare.above.ctx)
		return
	}
	s.node.Remove()
	up := s.parent.living()
	if up == nil {
		up = s.e.root // it was detached; nothing on the loop is above
	}
	s.parent = nil
	s.up.Store(up)
	for kid := range s.kids.All {
		kid.node.Remove()
		kid.parent = up
		up.kids.PushBack(&kid.node, kid)
	}
	for t := range s.parked.All {
		t.coro.parked.Remove()
		up.parked.PushBack(&t.coro.parked, t)
	}
	if s.rare != nil {
		for _, w := range s.rare.orphans {
			up.adopt(w)
		}
		s.rare = nil
	}
	if b := s.std.Load(); b != nil && s.state.Load() == nil {
		up.adopt(weak.Make(s))
		// Whoever still waits for Done alone, holding nothing else of the
		// context, is told when nobody else can be.
		runtime.AddCleanup(s, func(b *bridge) { b.fire(bracketEnded) }, b)
	}
}

// retireBelow is retire where what lies above is no scope but ctx: what the
// task started obeys that.
func (s *scope) retireBelow(ctx context.Context) {
	s.unfollow()
	for kid := range s.kids.All {
		kid.node.Remove()
		kid.parent = nil
		kid.follow(ctx)
	}
	for t := range s.parked.All {
		t.coro.parked.Remove()
		t.obey(ctx)
	}
	for _, w := range s.rare.orphans {
		if orphan := w.Value(); orphan != nil {
			orphan.hangOn(ctx)
		}
	}
	s.rare = nil
	s.up.Store(&scope{e: s.e, values: ctx})
	s.hangOn(ctx)
}

// hangOn has the bridge of a retired scope, if it has one, follow ctx for as
// long as somebody holds the scope.
func (s *scope) hangOn(ctx context.Context) {
	if b := s.std.Load(); b != nil && s.state.Load() == nil {
		stop := context.AfterFunc(ctx, func() { b.fire(cancellationOf(ctx)) })
		runtime.AddCleanup(s, func(b *bridge) {
			stop()
			b.fire(bracketEnded)
		}, b)
	}
}

// proxied is the context that s stands for, if s is none of its own but what a
// retired scope below a standard context answers with.
func (s *scope) proxied() context.Context {
	if s.seq == 0 {
		return s.values
	}
	return nil
}

// adopt keeps a retired scope within reach of s without keeping it alive.
func (s *scope) adopt(w weak.Pointer[scope]) {
	r := s.more()
	if n := len(r.orphans); n == cap(r.orphans) && n > 0 {
		r.orphans = slices.DeleteFunc(r.orphans, func(w weak.Pointer[scope]) bool { return w.Value() == nil })
	}
	r.orphans = append(r.orphans, w)
}

// Deadline implements [context.Context].
func (s *scope) Deadline() (time.Time, bool) {
	if s.deadline == forever {
		return time.Time{}, false
	}
	return s.e.wall(s.deadline), true
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
		return s.values.Value(key)
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
