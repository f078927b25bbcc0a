package aio

import (
	"context"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func clients() []bugs.Bug {
	return []bugs.Bug{
		pair("redis-py#2624", "https://github.com/redis/redis-py/issues/2624",
			"the answer to a caller that was cancelled reaches the next one on the connection", answerToAnother),
		pair("redis-py#3056", "https://github.com/redis/redis-py/issues/3056",
			"a pool calls, with its lock, what needs the lock when a connection has died", poolLocksTwice),
		pair("gh-74116", "https://github.com/python/cpython/issues/74116",
			"a second task that drains a stream fails an assertion", drainTwice),
		pair("aiohttp#3448", "https://github.com/aio-libs/aiohttp/issues/3448",
			"a WebSocket sends the close code of its reader instead of the one it was closed with", closeCode),
	}
}

// A redis is a client with one connection, to a server that answers requests in order.
type redis struct {
	using             asyncio.Lock
	requests, answers *asyncio.Queue[string]
	drops             bool // a connection whose answer was not read is not used again
}

func (r *redis) connect(ctx context.Context) {
	requests, answers := asyncio.NewQueue[string](0), asyncio.NewQueue[string](0)
	r.requests, r.answers = requests, answers
	spawn(context.WithoutCancel(ctx), task{"server", func(ctx context.Context) error {
		for request, err := range requests.All(ctx) {
			if err != nil {
				return err
			}
			if err := answers.Put(ctx, request); err != nil {
				return err
			}
		}
		return nil
	}})
}

func (r *redis) disconnect() { r.requests.Shutdown(true) }

func (r *redis) ask(request string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		return r.using.Do(ctx, func(ctx context.Context) error {
			if err := r.requests.Put(ctx, request); err != nil {
				return err
			}
			answer, err := r.answers.Get(ctx)
			if err != nil && r.drops {
				r.disconnect()
				r.connect(ctx)
			}
			if err == nil && answer != request {
				err = fmt.Errorf("%s got the answer to %s", request, answer)
			}
			return err
		})
	}
}

func answerToAnother(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		r := &redis{drops: fixed}
		r.connect(ctx)
		defer func() { r.disconnect() }()
		return cancelFirstAfter(ctx, 1, task{"victim", r.ask("GET a")}, task{"next", r.ask("GET b")})
	}
}

func poolLocksTwice(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var lock asyncio.Lock
		alive := true
		disconnect := func(ctx context.Context) error {
			return lock.Do(ctx, func(context.Context) error {
				alive = false
				return nil
			})
		}
		get := func(ctx context.Context) error {
			if err := lock.Acquire(ctx); err != nil {
				return err
			}
			err := asyncio.Yield(ctx) // looks for a connection
			if fixed {
				lock.Release()
			}
			if err == nil && !alive {
				err = disconnect(ctx)
			}
			if !fixed {
				lock.Release()
			}
			return err
		}
		peer := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			alive = false
			return nil
		}
		return together(ctx, task{"caller", get}, task{"peer", peer})
	}
}

// A transport is written to until it pauses its writers.
type transport struct {
	paused  bool
	drained []*asyncio.Future[struct{}]
	many    bool // may several tasks drain?
}

func (t *transport) drain(ctx context.Context) error {
	if !t.paused {
		return nil
	}
	if len(t.drained) > 0 && !t.many {
		panic("somebody drains the stream already")
	}
	f := asyncio.NewFuture[struct{}](ctx)
	t.drained = append(t.drained, f)
	_, err := f.Await(ctx)
	return err
}

func (t *transport) resume() {
	t.paused = false
	for _, f := range t.drained {
		f.SetResult(struct{}{})
	}
	t.drained = nil
}

func drainTwice(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		t := &transport{many: fixed}
		write := func(ctx context.Context) error {
			t.paused = true
			asyncio.Go(ctx, func(context.Context) error {
				t.resume()
				return nil
			})
			return t.drain(ctx)
		}
		late := func(ctx context.Context) error {
			if err := yields(ctx, 2); err != nil {
				return err
			}
			return write(ctx)
		}
		return together(ctx, task{"writer", write}, task{"late", late})
	}
}

// A socket is a WebSocket: to close it ends its reader, and sends a code.
type socket struct {
	messages *asyncio.Queue[int]
	closing  bool
	sent     int
	once     bool // who comes second sends nothing
}

func (s *socket) close(ctx context.Context, code int) error {
	if s.closing && s.once {
		return nil
	}
	s.closing = true
	s.messages.Shutdown(false)
	if err := asyncio.Yield(ctx); err != nil { // drains
		return err
	}
	if s.sent == 0 {
		s.sent = code
	}
	return nil
}

func closeCode(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		s := &socket{messages: asyncio.NewQueue[int](0), once: fixed}
		reader := func(ctx context.Context) error {
			for _, err := range s.messages.All(ctx) {
				if err != nil {
					return err
				}
			}
			return s.close(ctx, 1000)
		}
		closer := func(ctx context.Context) error {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			return s.close(ctx, 4000)
		}
		err := together(ctx, task{"reader", reader}, task{"closer", closer})
		if err == nil && s.sent != 4000 {
			err = fmt.Errorf("the code is %d instead of 4000", s.sent)
		}
		return err
	}
}
