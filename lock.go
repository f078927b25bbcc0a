package asyncio

import "context"

// A Lock is held by one task at a time. It keeps an invariant over awaits;
// between two awaits a task is alone anyway, and [NoAwait] says so. Its zero
// value is an unlocked lock. It must not be copied.
//
// Tasks get the lock in the order in which they asked for it: one that asks for
// a lock that others wait for is behind them. The lock belongs to the task that
// acquired it, and to the loop of the first task that had to wait for it.
type Lock struct {
	_       noCopy
	owner   *task
	below   *Lock // the lock that the owner acquired before
	waiting waitlist
}

// Acquire waits until the task holds the lock. Cancelling ctx ends the wait with
// a [CancelledError], and then the task does not hold it. An Acquire that would
// wait for ever, because the tasks that hold what each needs wait for each other,
// or because this task holds the lock already, fails with a [DeadlockError].
func (l *Lock) Acquire(ctx context.Context) error {
	if t := unhindered(ctx); t != nil {
		l.waiting.mustBeOn(t.scope.e, l, "Lock.Acquire")
		if l.owner == nil {
			l.grant(t)
			return nil
		}
	}
	a, err := newAwait(ctx, "Lock.Acquire")
	if err != nil {
		return err
	}
	l.waiting.mustBeOn(a.t.scope.e, l, "Lock.Acquire")
	if l.owner == nil {
		l.grant(a.t)
		return nil
	}
	if err := l.enqueue(a.t, "Lock.Acquire"); err != nil {
		return err
	}
	return a.park(l)
}

// TryAcquire acquires the lock if nobody holds it, without waiting, and reports
// whether it did.
func (l *Lock) TryAcquire(ctx context.Context) bool {
	t := currentTask(ctx, "Lock.TryAcquire")
	l.waiting.mustBeOn(t.scope.e, l, "Lock.TryAcquire")
	if l.owner != nil {
		return false
	}
	l.grant(t)
	return true
}

// Release gives the lock to the task that has waited longest, or unlocks it.
// Only the task that holds it may release it; Release panics otherwise.
func (l *Lock) Release() {
	switch t := l.ownerHere("Lock.Release"); {
	case t == nil:
		if !l.isUnwinding() {
			panic(l.notYours("Lock.Release", "release it once for each time it was acquired",
				"the task that acquired it has to release it"))
		}
	case t.coro.locks == l && l.waiting.tasks.Empty(): // as release does, without the call
		t.coro.locks, l.owner, l.below = l.below, nil, nil
	default:
		l.release(t)
	}
}

// Do runs f while the task holds the lock. It returns the error of [Lock.Acquire],
// without having run f, or that of f.
func (l *Lock) Do(ctx context.Context, f func(ctx context.Context) error) error {
	mustFunc(f != nil, "Lock.Do")
	if err := l.Acquire(ctx); err != nil {
		return err
	}
	defer l.Release()
	return f(ctx)
}

// Locked reports whether a task holds the lock.
func (l *Lock) Locked() bool {
	l.waiting.mustNotRace("Lock.Locked")
	return l.owner != nil
}

// String is the lock, who holds it, and how many wait.
func (l *Lock) String() string {
	s := "<" + l.waiting.name("Lock")
	if l.waiting.isElsewhere() {
		return s + ">"
	}
	if l.owner == nil {
		return s + " unlocked>"
	}
	return s + " locked by " + l.owner.face.Name() + length(&l.waiting.tasks, "waiters") + ">"
}

// ownerHere is the owner if that is the task that calls fn, and nil otherwise.
func (l *Lock) ownerHere(fn string) *task {
	bound := l.waiting.e
	if bound != nil && !bound.owned() {
		bound.mustNotRace(fn)
	}
	t := l.owner
	if t == nil || bound == nil && !t.scope.e.owned() || t.scope.e.cur != t {
		return nil
	}
	return t
}

// grant makes t the owner. Nobody is.
func (l *Lock) grant(t *task) {
	l.owner, l.below, t.coro.locks = t, t.coro.locks, l
}

// regain acquires the lock for t, which had it and must have it again.
func (l *Lock) regain(t *task) {
	switch {
	case l.owner == nil || l.owner.done: // who will not release it any more
		l.grant(t)
	default:
		t.breakCircles(l)
		l.waiting.add(t)
		await{t: t}.join(l)
	}
}

// release takes the lock from its owner t and gives it to the next.
func (l *Lock) release(t *task) {
	p := &t.coro.locks
	for *p != l {
		p = &(*p).below
	}
	*p = l.below
	l.owner, l.below = nil, nil
	if next := l.waiting.tasks.Front(); next != nil {
		next.wake()
		l.grant(next)
	}
}

// enqueue makes t wait for the lock, which somebody holds, unless it would wait
// for ever.
func (l *Lock) enqueue(t *task, fn string) error {
	e := t.scope.e
	if l.owner.done {
		err := neverReleased(l, t)
		t.yieldTurn()
		return err
	}
	if held := l.owner.scope.e; held != e {
		panic(misuse(nil, "%s: %v is held on %s but was used on %s; a lock is for the tasks of one loop", fn, l, held, e))
	}
	l.waiting.bind(e, l, fn)
	if t.isWaitedFor() {
		if err := t.closesCircle(l); err != nil {
			return err
		}
	}
	l.waiting.add(t)
	return nil
}

// holder implements held.
func (l *Lock) holder(i int) (*task, bool) { return l.owner, i == 0 && l.owner != nil }

// notYours is the misuse of fn by somebody who does not hold the lock, and what to
// do instead, if nobody does or if another task does.
func (l *Lock) notYours(fn, ifFree, ifHeld string) error {
	if l.owner == nil {
		return misuse(ErrInvalidState, "%s: %v is not acquired; %s", fn, l, ifFree)
	}
	if !l.owner.scope.e.owned() {
		return l.owner.scope.e.strayCall(fn)
	}
	return misuse(ErrInvalidState, "%s: called by %s, but %v; %s", fn, l.owner.scope.e.runningName(), l, ifHeld)
}

// isUnwinding reports whether the task that runs is unwound by force, out of a
// [Cond.Wait]: its deferred Release expects a lock that it does not have.
func (l *Lock) isUnwinding() bool {
	e := l.waiting.e
	return e != nil && e.owned() && e.cur != nil && e.cur.doom != spared
}

// runningName names what is running, for a message.
func (e *engine) runningName() string {
	if e.cur == nil {
		return "a callback"
	}
	return e.cur.face.Name()
}

// neverRelease is called when the function of t has ended and t holds locks.
// Nobody else can release them, so those who wait are told instead of waiting for
// ever. It returns the report for each.
func (t *task) neverRelease() (reports []ExceptionContext) {
	for l := t.coro.locks; l != nil; l = l.below {
		for next := range l.waiting.tasks.All {
			next.interrupt(neverReleased(l, next))
		}
		reports = append(reports, ExceptionContext{Message: "Lock was never released", Task: t.face, Object: l.String()})
	}
	t.coro.locks = nil
	return reports
}

// neverReleased is the error of t, who wants a lock whose owner is at its end.
func neverReleased(l *Lock, t *task) error {
	waits := TaskInfo{Task: t.face, State: Waiting, WaitingFor: l.String(), HeldBy: []AnyTask{l.owner.face}}
	return &DeadlockError{Circle: []TaskInfo{waits, l.owner.info()}}
}
