package asyncio

import (
	"slices"
	"strings"
)

// The wait graph has the tasks as its nodes, and an edge from each task that
// waits to each that must do its part before the wait can end: the holder of a
// lock, a task that is awaited, every child of a group that is joined. What
// anybody may give, such as the item of a queue, has no edge.
//
// Every circle is closed by a task that begins to wait. So the graph is
// searched only then, and only if somebody waits for that task; it is stored
// nowhere but in what the tasks wait for.

// A held is something that tasks wait for and other tasks hold.
type held interface {
	// holder is number i of the tasks each of which must do its part, or nil where
	// that one has done it, and false behind the last.
	holder(i int) (t *task, ok bool)
}

// A shared is held by several tasks of which some must do their part, nobody
// knows which. Only a report follows its edges.
type shared interface {
	sharers(yield func(*task) bool)
}

// A DeadlockError is the error of an await that would close a circle of tasks of
// which each waits for the next: it would never return. The await took no effect,
// and its task should give up what it holds. It matches [ErrDeadlock], as the end
// of a loop on which nothing can go on does; whoever wants to try again asks for
// this type.
type DeadlockError struct {
	// Circle is who waits for what, beginning with the task whose await failed.
	// The last one waits for something that the first one holds, or has ended
	// with something that nobody else can release.
	Circle []TaskInfo
}

func (e *DeadlockError) Error() string {
	var b strings.Builder
	b.WriteString("asyncio: deadlock: this wait would never end: ")
	for i, w := range e.Circle {
		if i == 0 {
			b.WriteString(w.Task.Name())
		} else {
			b.WriteString(", which")
		}
		if w.State != Waiting && i > 0 {
			b.WriteString(" has ended")
			break
		}
		next := e.Circle[(i+1)%len(e.Circle)]
		b.WriteString(" waits for " + w.WaitingFor + ", held by " + next.Task.Name())
	}
	return b.String()
}

// Is reports whether target is [ErrDeadlock].
func (e *DeadlockError) Is(target error) bool { return target == ErrDeadlock }

// isWaitedFor reports whether some task may wait for t. Only then can a wait of t
// close a circle.
func (t *task) isWaitedFor() bool {
	return !t.waiters.Empty() || t.coro.locks != nil || t.pulled ||
		t.group != nil && t.group.joining || t.rest != nil && !t.rest.watchers.Empty()
}

// waitedForBy yields the tasks that wait for t.
func (t *task) waitedForBy(yield func(*task) bool) {
	for u := range t.waiters.All {
		if !yield(u) {
			return
		}
	}
	if t.rest != nil {
		for w := range t.rest.watchers.All {
			if w.by != nil && !yield(w.by) {
				return
			}
		}
	}
	if t.group != nil && t.group.joining && !t.done && !yield(t.group.parent) {
		return
	}
	if t.pulled {
		if puller := t.face.(interface{ puller() *task }).puller(); puller != nil && !yield(puller) {
			return
		}
	}
	if t.coro == nil {
		return
	}
	for l := t.coro.locks; l != nil; l = l.below {
		for u := range l.waiting.tasks.All {
			if !yield(u) {
				return
			}
		}
	}
}

// holder implements held: a task that is awaited holds its own end.
func (t *task) holder(i int) (*task, bool) { return t, i == 0 && !t.done }

// unlessDone is t, or nil if it is done.
func (t *task) unlessDone() *task {
	if t.done {
		return nil
	}
	return t
}

// closesCircle returns the error of a wait of t for on that would never end. As
// every await that fails it gives up one turn, so that a task that tries again and
// again does not starve the others.
func (t *task) closesCircle(on any) (err error) {
	if !t.closes(on) {
		return nil
	}
	heldBy := faces(certain(on))
	t.scope.e.circles(t, on, certain, func(circle []*task) bool {
		err = deadlockError(circle, t, on, heldBy)
		return false
	})
	if err != nil {
		t.yieldTurn()
	}
	return err
}

// breakCircles is closesCircle for a join, which must not fail: in its place
// fails, in each circle, the next wait that may.
func (t *task) breakCircles(on any) {
	if !t.closes(on) {
		return
	}
	e := t.scope.e
	heldBy := faces(certain(on))
	for broken := true; broken; {
		broken = false // a way that was broken may have hidden another
		e.circles(t, on, certain, func(circle []*task) bool {
			i := slices.IndexFunc(circle, func(u *task) bool { return u.state == Waiting && !u.coro.joins })
			if i < 0 {
				e.report(ExceptionContext{Message: "Deadlock: a circle of waits that cannot fail",
					Err: deadlockError(circle, t, on, heldBy), Task: t.face})
				broken = false
				return false
			}
			circle[i].interrupt(deadlockError(slices.Concat(circle[i:], circle[:i]), t, on, heldBy))
			broken = true
			return true
		})
	}
}

// deadlockError tells of a circle that t closes, which is about to wait for on.
func deadlockError(circle []*task, t *task, on any, heldBy []AnyTask) *DeadlockError {
	err := &DeadlockError{}
	for _, u := range circle {
		if u == t {
			err.Circle = append(err.Circle, TaskInfo{Task: t.face, State: Waiting, WaitingFor: inBrief(on), HeldBy: heldBy})
		} else {
			err.Circle = append(err.Circle, u.info())
		}
	}
	return err
}

// certain is who must do their part before a wait for on can end.
func certain(on any) func(yield func(*task) bool) {
	return func(yield func(*task) bool) {
		h, ok := on.(held)
		for i := 0; ok; i++ {
			var t *task
			if t, ok = h.holder(i); ok && t != nil && !yield(t) {
				return
			}
		}
	}
}

// possible is certain, or where nothing is, who perhaps must.
func possible(on any) func(yield func(*task) bool) {
	if s, ok := on.(shared); ok {
		return s.sharers
	}
	return certain(on)
}

// closes reports whether a wait of t for on would close a circle. It looks both ways
// by turns, backwards at who waits for t and forwards at whom on waits for, until one
// side has no more or they meet. Either may be any number of tasks: the children of a
// group that is joined, or all who want the result of one. But a search takes no more
// than twice the steps of the smaller side, and one for each task that on itself names.
func (t *task) closes(on any) bool {
	at, ok := on.(held)
	if !ok {
		return false
	}
	e := t.scope.e
	e.searches += 2
	isAhead, isBehind := e.searches-1, e.searches
	ahead, behind := make([]held, 0, fewTasks), append(make([]*task, 0, fewTasks), t)
	t.coro.seen = isBehind
	i := 0                               // the next holder of at
	forward := func() (met, done bool) { // a closure, or ahead would be on the heap
		u, ok := at.holder(i)
		for ; !ok; u, ok = at.holder(i) {
			if len(ahead) == 0 {
				return false, true
			}
			at, i, ahead = ahead[0], 0, ahead[1:]
		}
		i++
		if u == nil || u.coro == nil || u.coro.seen == isAhead {
			return false, false
		}
		if u.coro.seen == isBehind {
			return true, true
		}
		u.coro.seen = isAhead
		if h, ok := u.coro.on.(held); ok && u.state == Waiting {
			ahead = append(ahead, h)
		}
		return false, false
	}
	for n := 0; n < len(behind); n++ {
		for u := range behind[n].waitedForBy {
			if met, done := forward(); done {
				return met
			}
			switch {
			case u.coro == nil || u.coro.seen == isBehind || !u.mustWait():
			case u.coro.seen == isAhead:
				return true
			default:
				u.coro.seen = isBehind
				behind = append(behind, u)
			}
		}
	}
	for u := range certain(on) { // a circle leads over one of them, and all behind are known
		if u.coro != nil && u.coro.seen == isBehind {
			return true
		}
	}
	return false
}

// fewTasks is as many as most searches come by on a side.
const fewTasks = 16

// mustWait reports whether t waits for something that certain tasks hold.
func (t *task) mustWait() bool {
	if h, ok := t.coro.on.(held); ok && t.state == Waiting {
		_, ok = h.holder(0)
		return ok
	}
	return false
}

// circles calls found with ways from t, which is about to wait for on, over what
// others wait for, back to t, the shortest first, until found returns false. found
// may end waits.
func (e *engine) circles(t *task, on any, edges func(on any) func(func(*task) bool), found func(circle []*task) bool) {
	type link struct {
		t    *task
		from int
	}
	e.searches++
	links := []link{{t, -1}}
	way := func(i int) (circle []*task) {
		for ; i >= 0; i = links[i].from {
			if i > 0 && links[i].t.state != Waiting {
				return nil // found has broken it
			}
			circle = append(circle, links[i].t)
		}
		slices.Reverse(circle)
		return circle
	}
	for i := 0; i < len(links); i++ {
		if i > 0 {
			if links[i].t.state != Waiting {
				continue
			}
			on = links[i].t.coro.on
		}
		for u := range edges(on) {
			if u == t {
				if circle := way(i); circle != nil && !found(circle) {
					return
				}
			} else if u.state == Waiting && u.coro.seen != e.searches {
				u.coro.seen = e.searches
				links = append(links, link{u, i})
			}
		}
	}
}
