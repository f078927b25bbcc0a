package goker

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio/sim"
)

// moby4395 is a command that attaches to a container and then starts it.
func moby4395(ctx context.Context, g *routines, fixed bool) {
	async := func(name string, f func(ctx context.Context) bool) *channel[bool] { // utils.Go
		size := 0
		if fixed {
			size = 1
		}
		ch := makeChan[bool](size)
		g.Go(ctx, name, func(ctx context.Context) { ch.Send(ctx, f(ctx)) })
		return ch
	}
	hijacked := async("hijack", func(ctx context.Context) bool {
		sleep(ctx, time.Second)
		return true
	})
	if sim.From(ctx).Draw(4) == 3 {
		return // the container does not start
	}
	hijacked.Recv(ctx)
}

// moby21233 is the test of a transfer whose progress is watched. Who watches is told of
// the last update only.
func moby21233(ctx context.Context, g *routines, fixed bool) {
	const updates = 6
	last := 0
	signal, finished := makeChan[struct{}](1), makeChan[struct{}](0)
	progress, watched := makeChan[int](0), makeChan[struct{}](0)
	g.Go(ctx, "transfer", func(ctx context.Context) {
		defer finished.close()
		for range updates {
			sleep(ctx, time.Second)
			last++
			chooseNow(ctx, send(signal, struct{}{}))
		}
		sleep(ctx, time.Second)
	})
	g.Go(ctx, "watcher", func(ctx context.Context) {
		defer watched.close()
		for choose(ctx, recv(signal, nil), recv(finished, nil)) == 0 {
			progress.Send(ctx, last)
		}
	})
	g.Go(ctx, "test", func(ctx context.Context) {
		want := 0
		for got := range progress.All(ctx) {
			if want++; got != want && !fixed {
				return // t.Fatalf
			}
			sleep(ctx, time.Duration(sim.From(ctx).Draw(4))*time.Second)
		}
	})
	watched.Recv(ctx)
	progress.close()
}

// moby25384 restores plugins when the engine starts, all at the same time. (GoBench has
// it by the number 25348.)
func moby25384(ctx context.Context, g *routines, fixed bool) {
	var group waitGroup
	plugins := []string{"a", "b"}
	group.Add(len(plugins))
	for range plugins {
		g.Go(ctx, "restore", func(ctx context.Context) {
			defer group.Done()
			step(ctx)
		})
		if !fixed {
			group.Wait(ctx)
		}
	}
	if fixed {
		group.Wait(ctx)
	}
}

// moby27782 follows the log of a container. Its watcher has a task that receives what the
// kernel has to tell of the file, the last of which is that it is not watched any more.
func moby27782(ctx context.Context, g *routines, fixed bool) {
	const modified, ignored = 1, 2
	var mu mutex
	removed := cond{L: &mu}
	watched := true
	inotify, events, producerGone := makeChan[int](8), makeChan[int](0), makeChan[struct{}](0)
	g.Go(ctx, "readEvents", func(ctx context.Context) {
		var event int
		for event != ignored {
			if event, _ = inotify.Recv(ctx); event == modified {
				events.Send(ctx, event)
			}
		}
		mu.Lock(ctx)
		defer mu.Unlock()
		watched = false
		removed.Broadcast(ctx)
	})
	remove := func(ctx context.Context) {
		mu.Lock(ctx)
		defer mu.Unlock()
		inotify.Send(ctx, ignored)
		for watched {
			removed.Wait(ctx)
		}
	}
	g.Go(ctx, "followLogs", func(ctx context.Context) {
		stop := producerGone
		if fixed { // it goes on to receive while the watch is removed
			stop = makeChan[struct{}](0)
			g.Go(ctx, "remove", func(ctx context.Context) {
				producerGone.Recv(ctx)
				remove(ctx)
				stop.close()
			})
		}
		for choose(ctx, recv(events, nil), recv(stop, nil)) == 0 {
		}
		if !fixed {
			remove(ctx)
		}
	})
	inotify.Send(ctx, modified)
	inotify.Send(ctx, modified)
	later(ctx) // the container exits
	producerGone.Close(ctx)
}

// moby28462 is the health check of a container, which stops with the container.
func moby28462(ctx context.Context, g *routines, fixed bool) {
	const interval = time.Second
	var container mutex
	stop := makeChan[struct{}](0)
	handleProbeResult := func(ctx context.Context) {
		container.Lock(ctx)
		defer container.Unlock()
	}
	g.Go(ctx, "monitor", func(ctx context.Context) {
		for choose(ctx, recv(stop, nil), recv(after(ctx, interval), nil)) == 1 {
			step(ctx) // probe
			handleProbeResult(ctx)
		}
	})
	g.Go(ctx, "StateChanged", func(ctx context.Context) {
		sleep(ctx, time.Duration(1+sim.From(ctx).Draw(2))*interval/2)
		container.Lock(ctx)
		defer container.Unlock()
		if fixed {
			stop.Close(ctx)
		} else {
			stop.Send(ctx, struct{}{})
		}
	})
}

// moby33293 is the call of a client that waits for a container.
func moby33293(ctx context.Context, g *routines, fixed bool) {
	containerWait := func(ctx context.Context) (result, failed *channel[string]) {
		size := 0
		if fixed {
			size = 1
		}
		result, failed = makeChan[string](0), makeChan[string](size)
		if sim.From(ctx).Draw(4) == 3 {
			failed.Send(ctx, "cannot connect")
			return result, failed
		}
		g.Go(ctx, "response", func(ctx context.Context) { result.Send(ctx, "exited") })
		return result, failed
	}
	g.Go(ctx, "other", step)
	result, failed := containerWait(ctx)
	choose(ctx, recv(result, nil), recv(failed, nil))
}

// moby33781 is the health check of a container, whose probes may take long.
func moby33781(ctx context.Context, g *routines, fixed bool) {
	const interval = 3 * time.Second
	stop := makeChan[struct{}](0)
	probe := func(ctx context.Context) *channel[bool] {
		size := 0
		if fixed {
			size = 1
		}
		results := makeChan[bool](size)
		g.Go(ctx, "probe", func(ctx context.Context) {
			choose(ctx, recv(after(ctx, time.Second), nil), recv(done(ctx), nil))
			results.Send(ctx, !cancelled(ctx))
		})
		return results
	}
	g.Go(ctx, "monitor", func(ctx context.Context) {
		for choose(ctx, recv(stop, nil), recv(after(ctx, interval), nil)) == 1 {
			probing, cancelProbe := withCancel(ctx)
			results := probe(probing)
			stopped := choose(ctx, recv(stop, nil), recv(results, nil)) == 0
			cancelProbe(ctx)
			if stopped {
				return
			}
		}
	})
	sleep(ctx, time.Duration(5+sim.From(ctx).Draw(2)*3)*time.Second/2+interval)
	stop.Close(ctx)
}
