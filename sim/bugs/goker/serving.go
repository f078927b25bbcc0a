package goker

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio/sim/bugs"
)

var serving = []bugs.Bug{
	bug("serving#2137", "https://github.com/knative/serving/pull/2137",
		"a test lets requests go in the order of their start, which is not that of their turns", serving2137),
}

// serving2137 is the test of a circuit breaker that performs one request at a time and
// queues another. Each request waits for its lock.
func serving2137(ctx context.Context, g *routines, fixed bool) {
	type token struct{}
	type request struct {
		lock     *mutex
		accepted *channel[bool]
	}
	pending, active := makeChan[token](2), makeChan[token](1)
	maybe := func(ctx context.Context, thunk func()) bool {
		if chooseNow(ctx, send(pending, token{})) < 0 {
			return false // there are too many
		}
		active.Send(ctx, token{})
		thunk()
		active.Recv(ctx)
		pending.Recv(ctx)
		return true
	}
	concurrentRequest := func(ctx context.Context, nth int) request {
		r := request{&mutex{}, makeChan[bool](1)}
		r.lock.Lock(ctx)
		var start waitGroup
		start.Add(1)
		g.Go(ctx, "request", func(ctx context.Context) {
			start.Done()
			ok := maybe(ctx, func() {
				r.lock.Lock(ctx)
				r.lock.Unlock()
			})
			r.accepted.Send(ctx, ok)
		})
		start.Wait(ctx)
		for fixed && (active.Len() == 0 || pending.Len() < nth) { // until it has its place
			sleep(ctx, time.Millisecond)
		}
		return r
	}
	requests := []request{concurrentRequest(ctx, 1), concurrentRequest(ctx, 2)}
	for _, r := range requests {
		r.lock.Unlock()
		r.accepted.Recv(ctx)
	}
}
