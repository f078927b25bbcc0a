package goker

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio/sim/bugs"
)

const grpcGo = "https://github.com/grpc/grpc-go/pull/"

var grpc = []bugs.Bug{
	bug("grpc#660", grpcGo+"660",
		"a benchmark is stopped while a call is under way, whose result nobody receives", grpc660),
	bug("grpc#795", grpcGo+"795",
		"the second GracefulStop returns without unlocking", grpc795),
	bug("grpc#862", grpcGo+"862",
		"DialContext fails and leaves the goroutine behind that connects", grpc862),
	bug("grpc#1275", grpcGo+"1275",
		"a stream is closed without telling who reads from it", grpc1275),
	bug("grpc#1353", grpcGo+"1353",
		"a balancer sends addresses under the lock that their receiver needs first", grpc1353),
	bug("grpc#1424", grpcGo+"1424",
		"the watcher of a balancer ends without telling who waits for its first connection", grpc1424),
	bug("grpc#1460", grpcGo+"1460",
		"the keepalive waits, under the lock of its transport, for what needs that lock", grpc1460),
	bug("grpc#3017", grpcGo+"3017",
		"a timer that was stopped too late returns without unlocking", grpc3017),
}

// grpc660 is a client of a benchmark: each call is made by a goroutine of its own.
func grpc660(ctx context.Context, g *routines, fixed bool) {
	stop := makeChan[struct{}](0)
	g.Go(ctx, "doCloseLoopUnary", func(ctx context.Context) {
		for {
			result := makeChan[bool](0)
			g.Go(ctx, "DoUnaryCall", func(ctx context.Context) {
				var end *channel[struct{}]
				if fixed {
					end = stop
				}
				choose(ctx, send(result, true), recv(end, nil))
			})
			if choose(ctx, recv(stop, nil), recv(result, nil)) == 0 {
				return
			}
		}
	})
	steps(ctx, 8)
	stop.Close(ctx)
}

// grpc795 is a server that is stopped by two, while it has a connection.
func grpc795(ctx context.Context, g *routines, fixed bool) {
	mu := &mutex{}
	changed := cond{L: mu}
	conns, draining := 1, false
	gracefulStop := func(ctx context.Context) {
		mu.Lock(ctx)
		if draining {
			if fixed {
				mu.Unlock()
			}
			return
		}
		draining = true
		for conns > 0 {
			changed.Wait(ctx)
		}
		mu.Unlock()
	}
	g.Go(ctx, "GracefulStop", gracefulStop)
	g.Go(ctx, "GracefulStop", gracefulStop)
	g.Go(ctx, "removeConn", func(ctx context.Context) {
		mu.Lock(ctx)
		defer mu.Unlock()
		conns--
		changed.Broadcast(ctx)
	})
}

// grpc862 is a client that connects in the background, and goes on to do so whenever
// the connection breaks, until it is closed.
func grpc862(ctx context.Context, g *routines, fixed bool) {
	dial, cancel := withCancel(ctx)
	g.Go(ctx, "cancel", func(ctx context.Context) {
		steps(ctx, 8)
		cancel(ctx)
	})
	client, closeClient := withCancel(ctx)
	connected := makeChan[struct{}](0)
	g.Go(client, "resetTransport", func(ctx context.Context) {
		steps(ctx, 3)
		connected.Close(ctx)
		done(ctx).Recv(ctx) // transportMonitor
	})
	dialContext := func(ctx context.Context) (ok bool) {
		if choose(ctx, recv(connected, nil), recv(done(ctx), nil)) == 0 {
			return true
		}
		if fixed {
			closeClient(ctx)
		}
		return false
	}
	if dialContext(dial) {
		closeClient(ctx)
	}
}

// grpc1275 is a client's stream: the transport writes into a buffer what has arrived.
func grpc1275(ctx context.Context, g *routines, fixed bool) {
	buffer := makeChan[string](2)
	closeStream := func(ctx context.Context) {
		if fixed {
			buffer.Send(ctx, "closing")
		}
	}
	g.Go(ctx, "RecvMsg", func(ctx context.Context) {
		for {
			if message, _ := buffer.Recv(ctx); message == "closing" || message == "end" {
				return
			}
		}
	})
	transport := makeChan[struct{}](0)
	g.Go(ctx, "transport", func(ctx context.Context) {
		defer transport.close()
		buffer.Send(ctx, "message")
	})
	transport.Recv(ctx)
	closeStream(ctx)
}

// grpc1353 is the round robin: it tells which addresses there are, and is told which of
// them are down.
func grpc1353(ctx context.Context, g *routines, fixed bool) {
	var mu mutex
	addresses := makeChan[int](0)
	if fixed {
		addresses = makeChan[int](1)
	}
	down := func(ctx context.Context) {
		mu.Lock(ctx)
		defer mu.Unlock()
	}
	g.Go(ctx, "lbWatcher", func(ctx context.Context) {
		for range addresses.All(ctx) {
			down(ctx) // tearDown
		}
	})
	g.Go(ctx, "watchAddrUpdates", func(ctx context.Context) {
		for update := range 2 {
			steps(ctx, 6)
			mu.Lock(ctx)
			if fixed { // the last one is no longer true
				chooseNow(ctx, recv(addresses, nil))
			}
			addresses.Send(ctx, update)
			mu.Unlock()
		}
		addresses.Close(ctx)
	})
}

// grpc1424 is a client that waits until it is connected to the first address of its
// balancer, or until its context ends.
func grpc1424(ctx context.Context, g *routines, fixed bool) {
	dial, cancel := withCancel(ctx)
	addresses := makeChan[int](0)
	connected := makeChan[struct{}](0)
	ready := makeChan[struct{}](1)
	g.Go(ctx, "lbWatcher", func(ctx context.Context) {
		told := false
		for range addresses.All(ctx) {
			if !told {
				connected.Close(ctx)
				told = true
			}
		}
		if fixed && !told {
			connected.Close(ctx)
		}
	})
	g.Go(ctx, "dial", func(ctx context.Context) {
		connected.Recv(ctx)
		ready.Send(ctx, struct{}{})
	})
	g.Go(ctx, "balancer", func(ctx context.Context) {
		defer addresses.close()
		choose(ctx, send(addresses, 1), recv(done(dial), nil))
	})
	g.Go(ctx, "cancel", func(ctx context.Context) {
		steps(ctx, 4)
		cancel(ctx)
	})
	choose(ctx, recv(ready, nil), recv(done(dial), nil)) // DialContext
}

// grpc1460 is the keepalive of a transport: it sleeps while there is no stream, which
// it shows by room in a channel, and the first stream wakes it up.
func grpc1460(ctx context.Context, g *routines, fixed bool) {
	const naps = 2
	var mu mutex
	streams := 0
	awaken, shutdown := makeChan[struct{}](1), makeChan[struct{}](0)
	awaken.trySend(struct{}{})
	g.Go(ctx, "keepalive", func(ctx context.Context) {
		for range naps {
			steps(ctx, 3) // a ping
			mu.Lock(ctx)
			if streams > 0 {
				mu.Unlock()
				continue
			}
			awaken.Recv(ctx)
			mu.Unlock()
			if choose(ctx, recv(awaken, nil), recv(shutdown, nil)) == 1 {
				return
			}
		}
	})
	for range naps {
		mu.Lock(ctx) // NewStream
		streams++
		if chooseNow(ctx, send(awaken, struct{}{})) == 0 && fixed {
			awaken.Send(ctx, struct{}{})
		}
		mu.Unlock()
		steps(ctx, 5)
		mu.Lock(ctx) // CloseStream
		streams--
		mu.Unlock()
	}
	mu.Lock(ctx) // Close
	defer mu.Unlock()
	shutdown.Close(ctx)
}

// grpc3017 is a cache of connections: one that is removed stays for a while, and may be
// taken again until then.
func grpc3017(ctx context.Context, g *routines, fixed bool) {
	const delay = time.Second
	var mu mutex
	stopped, fired, aborted := false, false, false
	mu.Lock(ctx) // RemoveSubConn
	g.Go(ctx, "timer", func(ctx context.Context) {
		sleep(ctx, delay)
		if stopped {
			return
		}
		fired = true
		mu.Lock(ctx)
		if aborted {
			if fixed {
				mu.Unlock()
			}
			return
		}
		mu.Unlock()
	})
	mu.Unlock()
	step(ctx)
	sleep(ctx, delay)
	mu.Lock(ctx) // NewSubConn
	stopped, aborted = !fired, fired
	mu.Unlock()
	mu.Lock(ctx) // RemoveSubConn
	mu.Unlock()
}
