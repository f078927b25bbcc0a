package goker

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

const istioPulls = "https://github.com/istio/istio/pull/"

var istio = []bugs.Bug{
	bug("istio#16224", istioPulls+"16224",
		"a handler reports under the lock that the test takes before it listens", istio16224),
	bug("istio#17860", istioPulls+"17860",
		"a restart waits for a proxy that has exited, under the lock that it takes to note the exit", istio17860),
	bug("istio#18454", istioPulls+"18454",
		"what ends a loop drains a timer that the loop has drained already", istio18454),
}

// istio16224 is the test of a configuration store: each change comes back to a handler.
func istio16224(ctx context.Context, g *routines, fixed bool) {
	var lock mutex
	want := ""
	events, done, stop := makeChan[string](1), makeChan[bool](0), makeChan[struct{}](0)
	handler := func(ctx context.Context, event string) {
		lock.Lock(ctx)
		if fixed {
			same := event == want
			lock.Unlock()
			done.Send(ctx, same)
			return
		}
		defer lock.Unlock()
		done.Send(ctx, event == want)
	}
	g.Go(ctx, "monitor", func(ctx context.Context) {
		var event string
		for choose(ctx, recv(stop, nil), recv(events, &event)) == 1 {
			handler(ctx, event)
		}
	})
	for _, event := range []string{"add", "update", "delete"} {
		events.Send(ctx, event)
		lock.Lock(ctx)
		want = event
		lock.Unlock()
		done.Recv(ctx)
	}
	stop.Close(ctx)
}

// istio17860 is the agent of a proxy, of which every change of the configuration starts
// another epoch, once the one before is live. Here the first one exits before it is.
// (Upstream the wait ends after 20 seconds.)
func istio17860(ctx context.Context, g *routines, fixed bool) {
	ctx, cancel := withCancel(ctx)
	var mu, restarting mutex
	var epochs waitGroup
	current := 0
	active := map[int]*channel[struct{}]{} // closed when the epoch is known to be gone
	live, status := makeChan[struct{}](0), makeChan[int](0)
	start := func() (epoch int, previous *channel[struct{}]) {
		previous = active[current]
		current++
		active[current] = makeChan[struct{}](0)
		return current, previous
	}
	runWait := func(ctx context.Context, epoch int) {
		g.Go(ctx, "runWait", func(ctx context.Context) {
			step(ctx) // proxy.Run
			status.Send(ctx, epoch)
		})
	}
	restart := func(ctx context.Context) {
		epochs.Add(1)
		if fixed { // the state is locked for as long as it is changed
			restarting.Lock(ctx)
			defer restarting.Unlock()
			mu.Lock(ctx)
			epoch, previous := start()
			mu.Unlock()
			if previous != nil {
				choose(ctx, recv(live, nil), recv(previous, nil))
			}
			runWait(ctx, epoch)
			return
		}
		mu.Lock(ctx)
		defer mu.Unlock()
		if active[current] != nil {
			live.Recv(ctx)
		}
		epoch, _ := start()
		runWait(ctx, epoch)
	}
	g.Go(ctx, "Run", func(ctx context.Context) {
		var epoch int
		for choose(ctx, recv(done(ctx), nil), recv(status, &epoch)) == 1 {
			mu.Lock(ctx)
			active[epoch].close()
			delete(active, epoch)
			mu.Unlock()
			epochs.Done()
		}
	})
	restart(ctx)
	later(ctx) // there are new certificates
	restart(ctx)
	epochs.Wait(ctx)
	cancel(ctx)
}

// istio18454 is a strategy that publishes changes when none has come for some time.
func istio18454(ctx context.Context, g *routines, fixed bool) {
	const frequency = time.Second
	loop, cancel := withCancel(ctx)
	var state mutex
	pending := false
	var t *timer
	publish, reset, exited := makeChan[struct{}](1), makeChan[struct{}](1), makeChan[struct{}](0)
	stop := func(ctx context.Context) {
		if !t.Stop(ctx) && !fixed {
			t.C.Recv(ctx)
		}
	}
	onTimer := func(ctx context.Context) (published bool) {
		state.Lock(ctx)
		defer state.Unlock()
		if chooseNow(ctx, send(publish, struct{}{})) < 0 {
			return false
		}
		pending = false
		return true
	}
	eventLoop := func(ctx context.Context) {
		for {
			switch choose(ctx, recv(t.C, nil), recv(reset, nil), recv(done(ctx), nil)) {
			case 0:
				if !onTimer(ctx) {
					t.Reset(ctx, frequency)
				}
			case 1:
				stop(ctx)
				t.Reset(ctx, frequency)
			case 2:
				stop(ctx)
				exited.Close(ctx)
				return
			}
		}
	}
	onChange := func(ctx context.Context) {
		state.Lock(ctx)
		first := !pending
		pending = true
		if first && t == nil {
			t = newTimer(ctx, frequency)
			g.Go(loop, "eventLoop", eventLoop)
			first = false
		}
		state.Unlock()
		if first {
			reset.Send(ctx, struct{}{})
		}
	}
	onChange(ctx)
	sleep(ctx, time.Duration(sim.From(ctx).Draw(3))*frequency/2)
	onChange(ctx)
	cancel(ctx)
	exited.Recv(ctx)
}
