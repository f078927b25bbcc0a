package aio

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func queues() []bugs.Bug {
	return []bugs.Bug{
		pair("bpo-23812", "https://github.com/python/asyncio/pull/256",
			"an item that was given to a getter is lost when that is cancelled", queueLoses),
		pair("asyncio#343", "https://github.com/python/asyncio/issues/343",
			"a Get that succeeds as its timeout strikes is cancelled, and its item dropped", pollLoses),
		pair("anyio#146", "https://github.com/agronholm/anyio/issues/146",
			"a stream without a buffer drops an item that is sent as the receiver's deadline strikes", streamDrops),
		pair("janus#715", "https://github.com/aio-libs/janus/issues/715",
			"Join returns while an item is unfinished: that all was finished is told late", joinTooEarly),
	}
}

// A pyQueue gives an item to the getter that waits longest, in its future.
type pyQueue struct {
	items   []int
	getters []*getter
	returns bool // who is cancelled gives the item back
}

type getter struct {
	*waiter
	item int
}

func (q *pyQueue) put(item int) {
	for len(q.getters) > 0 {
		g := q.getters[0]
		q.getters = q.getters[1:]
		if g.wake() {
			g.item = item
			return
		}
	}
	q.items = append(q.items, item)
}

func (q *pyQueue) get(ctx context.Context) (int, error) {
	if len(q.items) > 0 {
		item := q.items[0]
		q.items = q.items[1:]
		return item, nil
	}
	g := &getter{waiter: newWaiter(ctx)}
	q.getters = append(q.getters, g)
	err := g.wait()
	if err != nil && g.woken() && q.returns {
		q.put(g.item)
	}
	return g.item, err
}

func queueLoses(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		q, got := &pyQueue{returns: fixed}, 0
		take := func(ctx context.Context) error {
			if _, err := q.get(ctx); err != nil {
				return err
			}
			got++
			return nil
		}
		produce := func(ctx context.Context) error {
			for i := range 2 {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
				q.put(i)
			}
			return nil
		}
		err := cancelFirst(ctx, task{"victim", take}, task{"next", take}, task{"producer", produce})
		if err == nil && got+len(q.items) != 2 {
			err = fmt.Errorf("2 items were put, %d taken, and %d are left", got, len(q.items))
		}
		return err
	}
}

// poll gets an item within d, or none.
func poll(ctx context.Context, q *asyncio.Queue[int], d time.Duration, fixed bool) (item int, ok bool, err error) {
	get := asyncio.Spawn(ctx, q.Get)
	ctx, cancel := asyncio.WithTimeout(ctx, d)
	defer cancel()
	if item, err = get.Await(ctx); err == nil || !errors.Is(err, asyncio.ErrTimeout) {
		return item, err == nil, err
	}
	get.Cancel(nil)
	if !fixed {
		return 0, false, nil
	}
	// It may have the item already.
	item, err = get.Await(context.WithoutCancel(ctx))
	return item, err == nil, nil
}

func pollLoses(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		q, got := asyncio.NewQueue[int](0), 0
		consume := func(ctx context.Context) error {
			for range 3 {
				_, ok, err := poll(ctx, q, time.Second, fixed)
				if err != nil {
					return err
				}
				if ok {
					got++
				}
			}
			return nil
		}
		produce := func(ctx context.Context) error {
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			return q.Put(ctx, 1)
		}
		err := together(ctx, task{"consumer", consume}, task{"producer", produce})
		if err == nil && got+q.Len() != 1 {
			err = errors.New("the item is lost")
		}
		return err
	}
}

// A stream hands items from sender to receiver, who meet.
type stream struct {
	receivers []*getter
	passesOn  bool
	queued    []int
}

func (s *stream) send(item int) {
	for len(s.receivers) > 0 {
		r := s.receivers[0]
		s.receivers = s.receivers[1:]
		if r.wake() {
			r.item = item
			return
		}
	}
	s.queued = append(s.queued, item)
}

func (s *stream) receive(ctx context.Context) (int, error) {
	if len(s.queued) > 0 {
		item := s.queued[0]
		s.queued = s.queued[1:]
		return item, nil
	}
	r := &getter{waiter: newWaiter(ctx)}
	s.receivers = append(s.receivers, r)
	err := r.wait()
	if err != nil && r.woken() && s.passesOn {
		s.send(r.item)
	}
	return r.item, err
}

// moveOnAfter runs f for at most d, which a callback of the loop sees to, as anyio's does.
func moveOnAfter(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := asyncio.WithCancel(ctx)
	defer cancel()
	struck := false
	timer := l.CallLater(d, func() {
		struck = true
		cancel()
	})
	defer timer.Cancel()
	if err = f(ctx); struck && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func streamDrops(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		s, received := &stream{passesOn: fixed}, 0
		receive := func(ctx context.Context) error {
			for range 3 {
				err := moveOnAfter(ctx, 10*time.Millisecond, func(ctx context.Context) error {
					_, err := s.receive(ctx)
					if err == nil {
						received++
					}
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		}
		send := func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, 10*time.Millisecond)
			s.send(1)
			return err
		}
		err := together(ctx, task{"receiver", receive}, task{"sender", send})
		if err == nil && received+len(s.queued) != 1 {
			err = errors.New("an item was sent that nobody has received")
		}
		return err
	}
}

// A joinQueue counts what is unfinished, and keeps an event for it.
type joinQueue struct {
	loop       *asyncio.Loop
	unfinished int
	finished   asyncio.Event
	rechecks   bool
}

func (q *joinQueue) put() {
	q.unfinished++
	q.finished.Clear()
}

// done is called from other threads, and so tells the loop later.
func (q *joinQueue) done() {
	if q.unfinished--; q.unfinished == 0 {
		q.loop.CallSoon(func() {
			if q.unfinished == 0 || !q.rechecks {
				q.finished.Set()
			}
		})
	}
}

func joinTooEarly(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		q := &joinQueue{loop: l, rechecks: fixed}
		joiner := func(ctx context.Context) error {
			if err := q.finished.Wait(ctx); err != nil {
				return err
			}
			if q.unfinished > 0 && q.finished.IsSet() {
				return fmt.Errorf("all is said to be finished, and %d is not", q.unfinished)
			}
			return nil
		}
		worker := func(ctx context.Context) error {
			err := yields(ctx, 2)
			q.done()
			return err
		}
		producer := func(ctx context.Context) error {
			q.put()
			asyncio.Go(ctx, worker)
			if err := yields(ctx, 6); err != nil {
				return err
			}
			q.put()
			asyncio.Go(ctx, worker)
			return nil
		}
		return together(ctx, task{"producer", producer}, task{"joiner", joiner})
	}
}
