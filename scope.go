package asyncio

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
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
	from     *heritage
	parent   *scope // the nearest living scope whose cancellation reaches this one, or nil
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

// A heritage is what a scope has from above. It never changes, and those below share
// it, as long as no other context comes between.
type heritage struct {
	values  context.Context // answers Value; never a scope, or a chain of tasks would keep all its ancestors
	foreign context.Context // the nearest above that is no scope and governs it, or nil
}

// A rareScope is what few scopes have.
type rareScope struct {
	above   *foreign              // a parent that is no scope
	orphans []weak.Pointer[scope] // retired scopes below whose Done somebody may wait for
	group   *TaskGroup            // of a group that holds tasks back, which are let begin to see that they are cancelled
}

func (s *scope) more() *rareScope {
	if s.rare == nil {
		s.rare = &rareScope{}
	}
	return s.rare
}

// begin makes s a scope below ctx. The caller is on the loop of ctx, or gives
// a context of no loop to the root.
func (s *scope) begin(e *engine, parent *scope, foreign, values context.Context) {
	s.e, s.parent = e, parent
	if v, ok := values.(*scope); ok && v == parent && foreign == nil {
		s.from, s.deadline = v.from, v.deadline
	} else {
		s.inherit(foreign, values)
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

// inherit gives s what it has from above, where that is more than its parent.
func (s *scope) inherit(foreign, values context.Context) {
	if foreign == nil && s.parent != nil {
		foreign = s.parent.from.foreign // and whoever moves s to another parent leaves it below this one
	}
	v, ok := values.(*scope)
	switch {
	case !ok || v.e != s.e:
		s.from, s.deadline = &heritage{values, foreign}, forever
		if d, ok := values.Deadline(); ok {
			s.deadline = s.e.moment(d)
		}
	case foreign == nil && v.from.foreign == nil:
		s.from, s.deadline = v.from, v.deadline
	default:
		s.from, s.deadline = &heritage{v.from.values, foreign}, v.deadline
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

// isCancelled reports whether s is cancelled, also by a context above that is no
// scope and whose cancellation is still on its way.
func (s *scope) isCancelled() bool {
	if s.state.Load() != nil {
		return true
	}
	if s.from.foreign == nil || s.from.foreign.Err() == nil {
		return false
	}
	for p := s; p != nil; p = p.parent {
		if p.rare != nil && p.rare.above != nil {
			p.rare.above.arrive()
			break
		}
	}
	return s.state.Load() != nil
}

// cancelled is the error of an await under s, which is cancelled.
func (s *scope) cancelled() error { return &s.state.Load().CancelledError }

// cancelledAbove is the cancellation of what lies above s, or nil.
func (s *scope) cancelledAbove() error {
	if s.rare != nil && s.rare.above != nil && s.rare.above.ctx.Err() != nil {
		return &cancellationOf(s.rare.above.ctx).CancelledError
	}
	if s.parent != nil && s.parent.isCancelled() {
		return s.parent.cancelled()
	}
	return nil
}

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
	} else if !s.e.inject(func() { s.spread(c) }) && s.e.Closed() && !s.e.abandoned.Load() {
		s.spreadClosed(c)
	}
	return true
}

// spread carries a cancellation of s to what waits under it and lies below it.
func (s *scope) spread(c *cancellation) {
	var waiting []*task
	s.collect(c, &waiting)
	c.interrupt(waiting)
}

// interrupt ends the waits of tasks, in order of creation.
func (c *cancellation) interrupt(waiting []*task) {
	if len(waiting) > 1 {
		slices.SortFunc(waiting, func(a, b *task) int { return cmp.Compare(a.scope.seq, b.scope.seq) })
	}
	if len(waiting) > manyTimers {
		for _, t := range slices.Backward(waiting) {
			t.stopTimer()
		}
	}
	for _, t := range waiting {
		t.interrupt(&c.CancelledError)
	}
}

// manyTimers is from how many tasks on their timers are stopped beforehand and
// backwards: those that were started one after another then leave the heap from
// its end, where nothing has to move up. It halves the time for 100,000 of them.
const manyTimers = 64

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
	if g := s.rare.group; g != nil {
		for g.held.Len() > 0 {
			*waiting = append(*waiting, g.held.Pop())
		}
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
