package asyncio

import (
	"context"
	"runtime"
	"slices"
	"weak"
)

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
	s.up.Store(&scope{e: s.e, from: &heritage{values: ctx}})
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
		return s.from.values
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
