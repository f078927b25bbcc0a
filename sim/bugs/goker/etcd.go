package goker

import (
	"context"

	"github.com/asyncio-go/asyncio/sim/bugs"
)

const etcdIO = "https://github.com/etcd-io/etcd/pull/"

var etcd = []bugs.Bug{
	bug("etcd#5509", etcdIO+"5509",
		"a request to a closed client returns without unlocking what Close locks again", etcd5509),
	bug("etcd#6708", etcdIO+"6708",
		"Sync holds the lock and asks who leads, which takes it for reading", etcd6708),
	bug("etcd#6857", etcdIO+"6857",
		"the status is asked from a node that has stopped", etcd6857),
	bug("etcd#6873", etcdIO+"6873",
		"stop holds the lock while it waits for a goroutine that needs it", etcd6873),
	bug("etcd#7443", etcdIO+"7443",
		"a balancer sends addresses under the lock that their receiver needs first", etcd7443),
	bug("etcd#7492", etcdIO+"7492",
		"a token is sent under the lock that the receiver takes to delete old ones", etcd7492),
	bug("etcd#7902", etcdIO+"7902",
		"a follower waits for the next round under the lock that the leader begins it with", etcd7902),
	bug("etcd#10492", etcdIO+"10492",
		"the renewal of a lease holds the lock while it makes a checkpoint, which takes it", etcd10492),
}

// etcd5509 is the client: a request reads its connection, and Close takes the lock before
// and after its monitor has ended.
func etcd5509(ctx context.Context, g *routines, fixed bool) {
	var mu rwMutex
	closed := false
	stop, monitor := makeChan[struct{}](0), makeChan[struct{}](0)
	acquire := func(ctx context.Context) bool {
		mu.RLock(ctx)
		if closed && fixed {
			mu.RUnlock()
		}
		return !closed
	}
	g.Go(ctx, "connMonitor", func(ctx context.Context) {
		stop.Recv(ctx)
		monitor.Close(ctx)
	})
	g.Go(ctx, "Get", func(ctx context.Context) {
		if acquire(ctx) {
			step(ctx)
			mu.RUnlock()
		}
	})
	steps(ctx, 2)
	mu.Lock(ctx) // Close
	closed = true
	mu.Unlock()
	stop.Close(ctx)
	monitor.Recv(ctx)
	mu.Lock(ctx)
	defer mu.Unlock()
}

// etcd6708 is the HTTP client, which looks its endpoints up from time to time.
func etcd6708(ctx context.Context, g *routines, fixed bool) {
	var mu rwMutex
	do := func(ctx context.Context) {
		mu.RLock(ctx)
		defer mu.RUnlock()
	}
	getLeaderEndpoint := do
	g.Go(ctx, "Sync", func(ctx context.Context) {
		if fixed {
			getLeaderEndpoint(ctx)
		}
		mu.Lock(ctx)
		defer mu.Unlock()
		if !fixed { // SetEndpoints
			getLeaderEndpoint(ctx)
		}
	})
	g.Go(ctx, "Do", do)
}

// etcd6857 is a node of raft: one goroutine serves it until it is stopped.
func etcd6857(ctx context.Context, g *routines, fixed bool) {
	status := makeChan[*channel[int]](0)
	stop, stopped := makeChan[struct{}](0), makeChan[struct{}](0)
	g.Go(ctx, "run", func(ctx context.Context) {
		for {
			var reply *channel[int]
			if choose(ctx, recv(status, &reply), recv(stop, nil)) == 1 {
				stopped.Close(ctx)
				return
			}
			reply.Send(ctx, 1)
		}
	})
	g.Go(ctx, "Status", func(ctx context.Context) {
		reply := makeChan[int](0)
		if !fixed {
			status.Send(ctx, reply)
		} else if choose(ctx, send(status, reply), recv(stopped, nil)) == 1 {
			return
		}
		reply.Recv(ctx)
	})
	steps(ctx, 2)
	stop.Send(ctx, struct{}{}) // Stop
	stopped.Recv(ctx)
}

// etcd6873 is a proxy of watches: a goroutine coalesces those that have been updated.
func etcd6873(ctx context.Context, g *routines, fixed bool) {
	var mu mutex
	updates, ended := makeChan[int](1), makeChan[struct{}](0)
	g.Go(ctx, "newWatchBroadcasts", func(ctx context.Context) {
		defer ended.close()
		for range updates.All(ctx) { // coalesce
			mu.Lock(ctx)
			mu.Unlock()
		}
	})
	chooseNow(ctx, send(updates, 1)) // update
	steps(ctx, 3)
	mu.Lock(ctx) // stop
	updates.Close(ctx)
	if fixed {
		mu.Unlock()
		ended.Recv(ctx)
		return
	}
	defer mu.Unlock()
	ended.Recv(ctx)
}

// etcd7443 is the balancer of the client: gRPC receives the addresses to connect to,
// takes down what is no longer among them, and tells when one is up.
func etcd7443(ctx context.Context, g *routines, fixed bool) {
	var mu mutex
	notify := makeChan[int](1)
	changed, closing := makeChan[struct{}](1), makeChan[struct{}](0)
	tell := func(ctx context.Context) { // that there is another list of addresses
		if fixed {
			chooseNow(ctx, send(changed, struct{}{}))
		} else {
			notify.Send(ctx, 1)
		}
	}
	g.Go(ctx, "lbWatcher", func(ctx context.Context) {
		for range notify.All(ctx) {
			mu.Lock(ctx) // down
			mu.Unlock()
		}
	})
	if fixed {
		g.Go(ctx, "updateNotifyLoop", func(ctx context.Context) {
			defer notify.close()
			for choose(ctx, recv(changed, nil), recv(closing, nil)) == 0 {
				choose(ctx, send(notify, 1), recv(closing, nil))
			}
		})
	}
	var ups waitGroup
	ups.Add(3)
	for i := range 3 {
		g.Go(ctx, "Up", func(ctx context.Context) {
			defer ups.Done()
			steps(ctx, 6*i)
			mu.Lock(ctx)
			defer mu.Unlock()
			tell(ctx)
		})
	}
	ups.Wait(ctx)
	if fixed { // Close
		closing.Close(ctx)
		return
	}
	mu.Lock(ctx)
	defer mu.Unlock()
	notify.Close(ctx)
}

// etcd7492 is the keeper of tokens, whose goroutine deletes those that are too old.
func etcd7492(ctx context.Context, g *routines, fixed bool) {
	var mu mutex
	tokens := makeChan[int](1)
	ticks, stop := makeChan[int](0), makeChan[struct{}](0)
	deleteTokens := func(ctx context.Context) {
		mu.Lock(ctx)
		defer mu.Unlock()
	}
	g.Go(ctx, "run", func(ctx context.Context) {
		for {
			switch choose(ctx, recv(tokens, nil), recv(ticks, nil), recv(stop, nil)) {
			case 1:
				deleteTokens(ctx)
			case 2:
				return
			}
		}
	})
	var users waitGroup
	users.Add(3)
	for user := range 3 {
		g.Go(ctx, "assign", func(ctx context.Context) {
			defer users.Done()
			steps(ctx, 5*user)
			mu.Lock(ctx)
			defer mu.Unlock()
			if !fixed {
				tokens.Send(ctx, user)
			}
		})
	}
	ticks.Send(ctx, 1)
	users.Wait(ctx)
	stop.Close(ctx)
}

// etcd7902 is a test of elections: in each round one client is the leader, and ends the
// round when it releases; the others wait for that when they release.
func etcd7902(ctx context.Context, g *routines, fixed bool) {
	var mu mutex
	const clients = 2
	next := makeChan[struct{}](0)
	leader := -1
	for client := range clients {
		g.Go(ctx, "client", func(ctx context.Context) {
			mu.Lock(ctx) // acquire and validate
			if leader < 0 {
				leader = client
			}
			mu.Unlock()
			steps(ctx, client)
			if !fixed { // release
				mu.Lock(ctx)
				defer mu.Unlock()
			}
			if client == leader {
				next.Close(ctx)
			} else {
				next.Recv(ctx)
			}
		})
	}
}

// etcd10492 is the lessor: the server applies a checkpoint of a lease, which is proposed
// when one is renewed.
func etcd10492(ctx context.Context, g *routines, fixed bool) {
	var mu rwMutex
	checkpoint := func(ctx context.Context) {
		mu.Lock(ctx)
		defer mu.Unlock()
	}
	g.Go(ctx, "Renew", func(ctx context.Context) {
		if fixed {
			mu.RLock(ctx)
			mu.RUnlock()
		} else {
			mu.Lock(ctx)
			defer mu.Unlock()
		}
		checkpoint(ctx)
	})
	g.Go(ctx, "runLoop", func(ctx context.Context) {
		mu.RLock(ctx)
		defer mu.RUnlock()
	})
}
