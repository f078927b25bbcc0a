package aio

import (
	"context"
	"fmt"
	"slices"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func semaphores() []bugs.Bug {
	return []bugs.Bug{
		pair("asyncio#270", "https://github.com/python/asyncio/issues/270",
			"a semaphore's waiter that is cancelled as it was woken wakes nobody", semaphoreForgets),
		pair("gh-90155", "https://github.com/python/cpython/issues/90155",
			"a semaphore waits for a wake-up that is on its way to a task that was cancelled", semaphoreStuck),
		pair("bpo-45997", "https://github.com/python/cpython/pull/31910",
			"a semaphore that frees its permit before the waiter runs is taken by who comes later", semaphoreUnfair),
		pair("anyio#947", "https://github.com/agronholm/anyio/issues/947",
			"a limiter's token is lost with the borrower that is cancelled as it is told", limiterLoses),
		pair("anyio#1170", "https://github.com/agronholm/anyio/issues/1170",
			"a limiter's token is lent twice: to who was told, and to who comes before that runs", limiterOverlends),
	}
}

// A pySemaphore is asyncio's semaphore in three of its states: a release frees a permit
// and wakes a waiter, which takes one if there is one left.
type pySemaphore struct {
	free    int
	waiters []*waiter
	forgets bool // a cancelled waiter does not hand on that it was woken
	guards  bool // nobody takes a permit while a wake-up is on its way
	resets  bool // ... and a cancelled waiter says that it is not any more
	onWay   bool
}

func (s *pySemaphore) acquire(ctx context.Context) error {
	for s.free == 0 || s.guards && s.onWay {
		w := newWaiter(ctx)
		s.waiters = append(s.waiters, w)
		err := w.wait()
		s.waiters = without(s.waiters, w)
		if err == nil {
			s.onWay = false
			continue
		}
		if w.woken() && s.resets {
			s.onWay = false
		}
		if s.free > 0 && !s.forgets {
			s.wakeNext()
		}
		return err
	}
	s.free--
	return nil
}

func (s *pySemaphore) release() {
	s.free++
	s.wakeNext()
}

func (s *pySemaphore) wakeNext() {
	for _, w := range s.waiters {
		if w.wake() {
			s.onWay = true
			return
		}
	}
}

func (s *pySemaphore) use(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	return asyncio.Yield(ctx)
}

func semaphoreForgets(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		s := &pySemaphore{free: 1, forgets: !fixed}
		return cancelFirst(ctx, task{"victim", s.use}, task{"holder", s.use}, task{"next", s.use})
	}
}

func semaphoreStuck(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		s := &pySemaphore{free: 1, guards: true, resets: fixed}
		if err := cancelFirst(ctx, task{"victim", s.use}, task{"holder", s.use}); err != nil {
			return err
		}
		return s.use(ctx)
	}
}

// A fairSemaphore hands its permit over in the release.
type fairSemaphore struct {
	free    int
	waiters []*waiter
}

func (s *fairSemaphore) acquire(ctx context.Context) error {
	if s.free > 0 {
		s.free--
		return nil
	}
	w := newWaiter(ctx)
	s.waiters = append(s.waiters, w)
	err := w.wait()
	s.waiters = without(s.waiters, w)
	if err != nil && w.woken() {
		s.release()
	}
	return err
}

func (s *fairSemaphore) release() {
	for _, w := range s.waiters {
		if w.wake() {
			return
		}
	}
	s.free++
}

func semaphoreUnfair(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var s interface {
			acquire(ctx context.Context) error
			release()
		} = &pySemaphore{free: 1}
		if fixed {
			s = &fairSemaphore{free: 1}
		}
		var came, served []string
		use := func(name string) task {
			return task{name, func(ctx context.Context) error {
				for range 2 {
					came = append(came, name)
					if err := s.acquire(ctx); err != nil {
						return err
					}
					served = append(served, name)
					err := asyncio.Yield(ctx)
					s.release()
					if err == nil {
						err = asyncio.Yield(ctx)
					}
					if err != nil {
						return err
					}
				}
				return nil
			}}
		}
		err := together(ctx, use("red"), use("green"))
		if err == nil && !slices.Equal(came, served) {
			err = fmt.Errorf("they came in the order %v and were served in the order %v", came, served)
		}
		return err
	}
}

// A limiter is anyio's CapacityLimiter: it tells the first waiter that a token is free,
// and takes it from the list.
type limiter struct {
	total, borrowed int
	waiters         []*waiter
	passesOn        bool // a cancelled waiter tells the next one
	reserves        bool // the token belongs to who was told
}

func (l *limiter) borrow(ctx context.Context) error {
	if len(l.waiters) == 0 && l.borrowed < l.total {
		l.borrowed++
		return nil
	}
	w := newWaiter(ctx)
	l.waiters = append(l.waiters, w)
	err := w.wait()
	l.waiters = without(l.waiters, w)
	switch {
	case err == nil && !l.reserves:
		l.borrowed++
	case err != nil && l.reserves && w.woken():
		l.giveBack()
	case err != nil && l.passesOn:
		l.tell()
	}
	return err
}

func (l *limiter) giveBack() {
	l.borrowed--
	l.tell()
}

func (l *limiter) tell() {
	for len(l.waiters) > 0 && l.borrowed < l.total {
		first := l.waiters[0]
		l.waiters = l.waiters[1:]
		if first.wake() {
			if l.reserves {
				l.borrowed++
			}
			return
		}
	}
}

func (l *limiter) use(ctx context.Context) error {
	if err := l.borrow(ctx); err != nil {
		return err
	}
	defer l.giveBack()
	if l.borrowed > l.total {
		return fmt.Errorf("%d tokens of %d are lent", l.borrowed, l.total)
	}
	return asyncio.Yield(ctx)
}

func limiterLoses(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		l := &limiter{total: 1, reserves: true, passesOn: true}
		if !fixed {
			l.reserves, l.passesOn = false, false
		}
		return cancelFirst(ctx, task{"victim", l.use}, task{"holder", l.use}, task{"next", l.use})
	}
}

func limiterOverlends(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		l := &limiter{total: 1, passesOn: true, reserves: fixed}
		late := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			return l.use(ctx)
		}
		return together(ctx, task{"first", l.use}, task{"second", l.use}, task{"late", late})
	}
}
