package goker

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio/sim"
)

// kubernetes5316 is a request to the API server, which may take longer than it is given.
func kubernetes5316(ctx context.Context, g *routines, fixed bool) {
	size := 0
	if fixed {
		size = 1
	}
	result, failed := makeChan[string](size), makeChan[string](size)
	g.Go(ctx, "fn", func(ctx context.Context) {
		w := sim.From(ctx)
		sleep(ctx, time.Duration(w.Draw(3))*time.Second)
		if w.Draw(2) == 0 {
			result.Send(ctx, "created")
		} else {
			failed.Send(ctx, "conflict")
		}
	})
	choose(ctx, recv(result, nil), recv(failed, nil), recv(after(ctx, 3*time.Second/2), nil))
}

// kubernetes11298 is the notifier of an election: one task hears who is elected, the
// service loop starts and stops the service.
func kubernetes11298(ctx context.Context, g *routines, fixed bool) {
	lock := newPassedMutex()
	changes := cond{L: lock}
	var desired, current int
	elected := makeChan[int](0)
	abort, changed, finished := makeChan[struct{}](0), makeChan[struct{}](0), makeChan[struct{}](0)
	g.Go(ctx, "elector", func(ctx context.Context) {
		defer finished.close()
		var master int
		for choose(ctx, recv(abort, nil), recv(elected, &master)) == 1 {
			lock.Lock(ctx)
			desired = master
			if fixed {
				lock.Unlock()
				changed.Send(ctx, struct{}{})
				continue
			}
			changes.Signal(ctx)
			lock.Unlock()
		}
	})
	// await waits for the condition in a task of its own, so that the end can be awaited
	// too. It has the lock unless that has come.
	await := func(ctx context.Context) (ended bool) {
		woken := makeChan[struct{}](0)
		g.Go(ctx, "Wait", func(ctx context.Context) {
			changes.Wait(ctx)
			woken.close()
		})
		if choose(ctx, recv(finished, nil), recv(woken, nil)) == 1 {
			return false
		}
		changes.Signal(ctx) // so that Wait returns
		woken.Recv(ctx)
		return true
	}
	serviceLoop := func(ctx context.Context) {
		lock.Lock(ctx)
		defer lock.Unlock()
		for chooseNow(ctx, recv(finished, nil)) < 0 {
			if desired == current && await(ctx) {
				return
			}
			current = desired
		}
	}
	if fixed {
		serviceLoop = func(ctx context.Context) {
			for choose(ctx, recv(finished, nil), recv(changed, nil)) == 1 {
				lock.Lock(ctx)
				current = desired
				lock.Unlock()
			}
		}
	}
	g.Go(ctx, "serviceLoop", serviceLoop)
	elected.Send(ctx, 1)
	later(ctx)
	abort.Close(ctx)
}

// kubernetes25331 is a watch on etcd. Its client stops it when it has seen enough.
func kubernetes25331(ctx context.Context, g *routines, fixed bool) {
	watch, cancel := withCancel(ctx)
	results, errors := makeChan[string](0), makeChan[string](1)
	g.Go(watch, "startWatching", func(ctx context.Context) {
		results.Send(ctx, "event")
		later(ctx)
		choose(ctx, send(errors, "the connection is lost"), recv(done(ctx), nil))
	})
	g.Go(watch, "run", func(ctx context.Context) {
		var err string
		if choose(ctx, recv(done(ctx), nil), recv(errors, &err)) == 1 {
			if fixed {
				choose(ctx, send(results, err), recv(done(ctx), nil))
			} else {
				results.Send(ctx, err)
			}
		}
		cancel(ctx)
	})
	results.Recv(ctx)
	cancel(ctx) // Stop
}

// kubernetes38669 is a watcher of a cache, which is sent first what had happened before.
// Its client stops it after one event, which is not the last.
func kubernetes38669(ctx context.Context, g *routines, fixed bool) {
	results, input, stopped := makeChan[int](0), makeChan[int](2), makeChan[struct{}](0)
	sendEvent := func(ctx context.Context, event int) {
		if fixed {
			choose(ctx, send(results, event), recv(stopped, nil))
		} else {
			results.Send(ctx, event)
		}
	}
	g.Go(ctx, "process", func(ctx context.Context) {
		defer results.close()
		for event := range 1 + sim.From(ctx).Draw(2) {
			sendEvent(ctx, event)
		}
		for event := range input.All(ctx) {
			sendEvent(ctx, event)
		}
	})
	results.Recv(ctx)
	stopped.Close(ctx)
	input.Close(ctx)
}

// kubernetes70277 waits until a condition holds, which a poller has it look at from time
// to time, for three times at most here.
func kubernetes70277(ctx context.Context, g *routines, fixed bool) {
	never := makeChan[struct{}](0)
	poller := func(ctx context.Context, done *channel[struct{}]) *channel[struct{}] {
		look, tick := makeChan[struct{}](0), makeChan[struct{}](1)
		g.Go(ctx, "ticker", func(ctx context.Context) {
			for range 3 {
				sleep(ctx, time.Second)
				chooseNow(ctx, send(tick, struct{}{}))
			}
		})
		g.Go(ctx, "poller", func(ctx context.Context) {
			for choose(ctx, recv(tick, nil), recv(done, nil)) == 0 {
				chooseNow(ctx, send(look, struct{}{}))
			}
		})
		return look
	}
	waitFor := func(ctx context.Context, condition func() bool, done *channel[struct{}]) {
		stop := done
		if fixed {
			stop = makeChan[struct{}](0)
			defer stop.close()
		}
		look := poller(ctx, stop)
		for choose(ctx, recv(look, nil), recv(done, nil)) == 0 {
			if condition() {
				return
			}
		}
	}
	waitFor(ctx, func() bool { return true }, never)
}
