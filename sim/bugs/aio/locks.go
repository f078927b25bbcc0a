package aio

import (
	"context"
	"errors"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func locks() []bugs.Bug {
	return []bugs.Bug{
		pair("bpo-27585", "https://github.com/python/cpython/pull/1031",
			"a lock's waiter that is cancelled as it was woken wakes nobody: the lock is free and others wait", lockForgets),
		pair("bpo-32734", "https://github.com/python/cpython/pull/5466",
			"a waiter that is cancelled wakes a second one: two tasks hold the lock", lockTwice),
		pair("anyio#1145", "https://github.com/agronholm/anyio/pull/1145",
			"a cancelled waiter stays in the queue of a free lock: who comes then queues behind it, for ever", lockStrands),
	}
}

// A pyLock is a lock as asyncio's: a release wakes a waiter, which then takes it.
type pyLock struct {
	locked    bool
	waiters   []*waiter
	forgets   bool // a cancelled waiter does not hand on that it was woken
	overtakes bool // wakes one although another is on its way
}

func (l *pyLock) acquire(ctx context.Context) error {
	if !l.locked && !l.contended() {
		l.locked = true
		return nil
	}
	w := newWaiter(ctx)
	l.waiters = append(l.waiters, w)
	err := w.wait()
	l.waiters = without(l.waiters, w)
	if err == nil {
		l.locked = true
	} else if !l.locked && !l.forgets {
		l.wakeFirst()
	}
	return err
}

// contended reports whether somebody waits who is not cancelled.
func (l *pyLock) contended() bool {
	for _, w := range l.waiters {
		if !w.cancelled() {
			return true
		}
	}
	return false
}

func (l *pyLock) release() {
	l.locked = false
	l.wakeFirst()
}

func (l *pyLock) wakeFirst() {
	for _, w := range l.waiters {
		if w.wake() || !l.overtakes && !w.cancelled() {
			return
		}
	}
}

// use is a task that holds the lock for a turn.
func (l *pyLock) use(inside *int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if err := l.acquire(ctx); err != nil {
			return err
		}
		defer l.release()
		*inside++
		defer func() { *inside-- }()
		if *inside > 1 {
			return errors.New("two tasks hold the lock")
		}
		return asyncio.Yield(ctx)
	}
}

func lockForgets(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		l, inside := &pyLock{forgets: !fixed}, 0
		use := l.use(&inside)
		return cancelFirst(ctx, task{"victim", use}, task{"holder", use}, task{"next", use})
	}
}

func lockTwice(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		l, inside := &pyLock{overtakes: !fixed}, 0
		use := l.use(&inside)
		return cancelFirst(ctx, task{"victim", use}, task{"holder", use}, task{"first", use}, task{"second", use})
	}
}

// An anyLock is a lock as anyio's: a release hands it to a waiter.
type anyLock struct {
	owned   bool
	waiters []*waiter
	prunes  bool
}

func (l *anyLock) acquire(ctx context.Context) error {
	if !l.owned && len(l.waiters) == 0 {
		l.owned = true
		return nil
	}
	w := newWaiter(ctx)
	l.waiters = append(l.waiters, w)
	err := w.wait()
	l.waiters = without(l.waiters, w)
	if err != nil && w.woken() {
		l.release()
	}
	return err
}

func (l *anyLock) release() {
	l.owned = false
	for _, w := range l.waiters {
		if w.wake() {
			l.owned = true
			break
		}
	}
	if l.prunes && !l.owned {
		l.waiters = nil // all are cancelled
	}
}

func lockStrands(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		l := &anyLock{prunes: fixed}
		use := func(ctx context.Context) error {
			if err := l.acquire(ctx); err != nil {
				return err
			}
			defer l.release()
			return asyncio.Yield(ctx)
		}
		late := func(ctx context.Context) error {
			if err := yields(ctx, 3); err != nil {
				return err
			}
			return use(ctx)
		}
		return cancelFirst(ctx, task{"victim", use}, task{"holder", use}, task{"late", late})
	}
}
