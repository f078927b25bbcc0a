package goker

import (
	"context"
	"sync"
	"time"

	"github.com/asyncio-go/asyncio/sim"
)

// kubernetes1321 is a mux, which distributes events to those who watch.
func kubernetes1321(ctx context.Context, g *routines, fixed bool) {
	var lock mutex
	watching := true
	incoming, result, stopped := makeChan[int](0), makeChan[int](0), makeChan[struct{}](0)
	distribute := func(ctx context.Context, event int) {
		lock.Lock(ctx)
		defer lock.Unlock()
		switch {
		case !watching:
		case fixed:
			choose(ctx, send(result, event), recv(stopped, nil))
		default:
			result.Send(ctx, event)
		}
	}
	g.Go(ctx, "loop", func(ctx context.Context) {
		for event := range incoming.All(ctx) {
			distribute(ctx, event)
		}
	})
	g.Go(ctx, "source", func(ctx context.Context) {
		incoming.Send(ctx, 1)
		incoming.Close(ctx)
	})
	sleep(ctx, time.Duration(sim.From(ctx).Draw(2))*time.Second)
	stopped.Close(ctx)
	lock.Lock(ctx) // stopWatching
	defer lock.Unlock()
	watching = false
	result.close()
}

// kubernetes6632 is a connection of spdystream: every frame tells the monitor that it is
// not idle.
func kubernetes6632(ctx context.Context, g *routines, fixed bool) {
	var writeLock mutex
	open := true
	reset, closed := makeChan[struct{}](1), makeChan[struct{}](0)
	writeFrame := func(ctx context.Context) {
		writeLock.Lock(ctx)
		defer writeLock.Unlock()
		if open {
			reset.Send(ctx, struct{}{})
		}
	}
	g.Go(ctx, "monitor", func(ctx context.Context) {
		for choose(ctx, recv(reset, nil), recv(closed, nil)) == 0 {
		}
		if fixed {
			g.Go(ctx, "drain", func(ctx context.Context) {
				for range reset.All(ctx) {
				}
			})
		}
		writeLock.Lock(ctx)
		defer writeLock.Unlock()
		reset.close()
		open = false
	})
	g.Go(ctx, "writer", func(ctx context.Context) {
		for range 3 {
			writeFrame(ctx)
		}
	})
	later(ctx) // the other side goes
	closed.Close(ctx)
}

// kubernetes10182 is the status manager of a kubelet. The statuses here cannot be sent to
// the server, so they are forgotten again.
func kubernetes10182(ctx context.Context, g *routines, fixed bool) {
	var podStatuses mutex
	statuses := makeChan[string](0)
	setPodStatus := func(ctx context.Context, pod string) {
		podStatuses.Lock(ctx)
		defer podStatuses.Unlock()
		statuses.Send(ctx, pod)
	}
	deletePodStatus := func(ctx context.Context) {
		podStatuses.Lock(ctx)
		defer podStatuses.Unlock()
	}
	g.Go(ctx, "syncBatch", func(ctx context.Context) {
		for range 2 {
			statuses.Recv(ctx)
			if fixed {
				g.Go(ctx, "deletePodStatus", deletePodStatus)
			} else {
				deletePodStatus(ctx)
			}
		}
	})
	setPodStatus(ctx, "a")
	later(ctx)
	setPodStatus(ctx, "b")
}

// kubernetes13135 is a cacher: its reflector lists everything anew after each
// disconnection, and nobody may use the cache until it has.
func kubernetes13135(ctx context.Context, g *routines, fixed bool) {
	var cacher, usable, watchCache mutex
	initial := &cacher
	if fixed {
		initial = &usable
	}
	startCaching := func(ctx context.Context) {
		initial.Lock(ctx)
		onReplace := sync.OnceFunc(initial.Unlock)
		defer onReplace()
		watchCache.Lock(ctx) // Replace
		defer watchCache.Unlock()
		onReplace()
	}
	add := func(ctx context.Context) {
		watchCache.Lock(ctx)
		defer watchCache.Unlock()
		cacher.Lock(ctx) // processEvent
		defer cacher.Unlock()
	}
	g.Go(ctx, "reflector", func(ctx context.Context) {
		startCaching(ctx)
		sleep(ctx, time.Second)
		startCaching(ctx)
	})
	g.Go(ctx, "watch", func(ctx context.Context) {
		for range 2 {
			sleep(ctx, time.Second)
			step(ctx)
			step(ctx) // decodes the event
			add(ctx)
		}
	})
}

// kubernetes26980 is a test of the queue of a listener, which nobody listens to at first.
func kubernetes26980(ctx context.Context, g *routines, fixed bool) {
	var lock mutex
	pending := cond{L: &lock}
	notifications := []int{}
	next, locked, stop := makeChan[int](0), makeChan[struct{}](0), makeChan[struct{}](0)
	add := func(ctx context.Context, n int) {
		lock.Lock(ctx)
		defer lock.Unlock()
		notifications = append(notifications, n)
		pending.Broadcast(ctx)
	}
	take := func(ctx context.Context) int {
		for len(notifications) == 0 {
			pending.Wait(ctx)
		}
		n := notifications[0]
		notifications = notifications[1:]
		return n
	}
	g.Go(ctx, "pop", func(ctx context.Context) {
		lock.Lock(ctx)
		n := take(ctx)
		if fixed {
			lock.Unlock()
		} else {
			defer lock.Unlock()
		}
		choose(ctx, send(next, n), recv(stop, nil))
	})
	add(ctx, 1)
	g.Go(ctx, "test", func(ctx context.Context) {
		lock.Lock(ctx)
		defer lock.Unlock()
		locked.close()
	})
	locked.Recv(ctx)
	stop.Close(ctx)
}

// kubernetes30872 is a federated informer. The store of clusters runs its handlers under
// its lock, and they add to the informer.
func kubernetes30872(ctx context.Context, g *routines, fixed bool) {
	var informer, store mutex
	clusters := 0
	hasSynced := func(ctx context.Context) bool {
		store.Lock(ctx)
		defer store.Unlock()
		return clusters > 0
	}
	g.Go(ctx, "addCluster", func(ctx context.Context) {
		store.Lock(ctx)
		defer store.Unlock()
		clusters++
		informer.Lock(ctx)
		defer informer.Unlock()
	})
	g.Go(ctx, "ClustersSynced", func(ctx context.Context) {
		later(ctx)
		if !fixed {
			informer.Lock(ctx)
			defer informer.Unlock()
		}
		hasSynced(ctx)
	})
}

// A quotaQueue is a queue of keys that are to be worked on.
type quotaQueue struct {
	mu    mutex
	added cond
	keys  int
	shut  bool
}

func newQuotaQueue() *quotaQueue {
	q := &quotaQueue{}
	q.added.L = &q.mu
	return q
}

func (q *quotaQueue) Add(ctx context.Context, keys int, last bool) {
	q.mu.Lock(ctx)
	defer q.mu.Unlock()
	q.keys += keys
	q.shut = last
	q.added.Broadcast(ctx)
}

// Get is false when there will be no more.
func (q *quotaQueue) Get(ctx context.Context) bool {
	q.mu.Lock(ctx)
	defer q.mu.Unlock()
	for q.keys == 0 && !q.shut {
		q.added.Wait(ctx)
	}
	q.keys--
	return q.keys >= 0
}

// kubernetes58107 is a controller of quotas. Sync replaces what its workers work with.
func kubernetes58107(ctx context.Context, g *routines, fixed bool) {
	var workers rwMutex
	var worked waitGroup
	missing, queue := newQuotaQueue(), newQuotaQueue()
	work := func(q *quotaQueue) func(ctx context.Context) {
		once := func(ctx context.Context) bool {
			if !fixed {
				workers.RLock(ctx)
				defer workers.RUnlock()
			}
			if !q.Get(ctx) {
				return false
			}
			if fixed {
				workers.RLock(ctx)
				defer workers.RUnlock()
			}
			worked.Done()
			return true
		}
		return func(ctx context.Context) {
			for once(ctx) {
			}
		}
	}
	worked.Add(2)
	g.Go(ctx, "Sync", func(ctx context.Context) {
		workers.Lock(ctx)
		defer workers.Unlock()
	})
	g.Go(ctx, "worker", work(missing))
	g.Go(ctx, "worker", work(queue))
	queue.Add(ctx, 2, false)
	worked.Wait(ctx)
	missing.Add(ctx, 0, true)
	queue.Add(ctx, 0, true)
}

// kubernetes62464 is the CPU manager: one task reconciles what containers have, another
// takes it from one that is gone.
func kubernetes62464(ctx context.Context, g *routines, fixed bool) {
	var state rwMutex
	assigned := map[string]int{"a": 1}
	shared := 3
	getCPUSet := func(ctx context.Context, container string) (int, bool) {
		state.RLock(ctx)
		defer state.RUnlock()
		set, ok := assigned[container]
		return set, ok
	}
	getDefaultCPUSet := func(ctx context.Context) int {
		state.RLock(ctx)
		defer state.RUnlock()
		return shared
	}
	getCPUSetOrDefault := func(ctx context.Context, container string) int {
		if !fixed {
			state.RLock(ctx)
			defer state.RUnlock()
		}
		if set, ok := getCPUSet(ctx, container); ok {
			return set
		}
		return getDefaultCPUSet(ctx)
	}
	g.Go(ctx, "reconcileState", func(ctx context.Context) {
		getCPUSetOrDefault(ctx, "a")
	})
	g.Go(ctx, "RemoveContainer", func(ctx context.Context) {
		set := getDefaultCPUSet(ctx)
		state.Lock(ctx) // SetDefaultCPUSet
		defer state.Unlock()
		shared = set + assigned["a"]
		delete(assigned, "a")
	})
}
