package goker

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio/sim"
)

// moby4951 is the removal of a device, by two commands at a time. It waits for a device
// that is busy, without the global lock.
func moby4951(ctx context.Context, g *routines, fixed bool) {
	var devices, info mutex
	busy := sim.From(ctx).Draw(2) == 1
	first, second := &devices, &info
	if fixed { // the lock of the device comes first, which needs no lock to be looked up
		first, second = second, first
	}
	deleteDevice := func(ctx context.Context) {
		first.Lock(ctx)
		second.Lock(ctx)
		defer info.Unlock()
		if busy {
			devices.Unlock()
			sleep(ctx, time.Second)
			devices.Lock(ctx)
			busy = false
		}
		devices.Unlock()
	}
	for range 2 {
		g.Go(ctx, "deleteDevice", deleteDevice)
	}
}

// moby7559 is a proxy of datagrams: for each client it dials to the server once, and
// has a task that sends the replies.
func moby7559(ctx context.Context, g *routines, fixed bool) {
	var connTrack mutex
	connected := map[string]bool{}
	replyLoop := func(client string) func(ctx context.Context) {
		return func(ctx context.Context) {
			step(ctx) // until there are no more
			connTrack.Lock(ctx)
			defer connTrack.Unlock()
			delete(connected, client)
		}
	}
	g.Go(ctx, "Run", func(ctx context.Context) {
		for _, client := range []string{"a", "b", "a"} {
			connTrack.Lock(ctx)
			if !connected[client] {
				if sim.From(ctx).Draw(8) == 7 { // the server does not answer
					if fixed {
						connTrack.Unlock()
					}
					continue
				}
				connected[client] = true
				g.Go(ctx, "replyLoop", replyLoop(client))
			}
			connTrack.Unlock()
		}
	})
}

// moby17176 is the deferred deletion of devices, for which a worker looks again and again.
func moby17176(ctx context.Context, g *routines, fixed bool) {
	var devices mutex
	deleted := 0
	deleteDevice := func(ctx context.Context) {
		devices.Lock(ctx)
		defer devices.Unlock()
		deleted++
	}
	cleanup := func(ctx context.Context) {
		devices.Lock(ctx)
		if deleted == 0 {
			if fixed {
				devices.Unlock()
			}
			return
		}
		deleted--
		devices.Unlock()
	}
	g.Go(ctx, "DeleteDevice", func(ctx context.Context) {
		for range 2 {
			deleteDevice(ctx)
		}
	})
	g.Go(ctx, "worker", func(ctx context.Context) {
		for range 2 {
			cleanup(ctx)
		}
	})
}

// A mobyPlugin is a plugin of the first kind, which is activated once.
type mobyPlugin struct {
	mu       mutex
	wait     cond
	manifest bool // it is there once the plugin is active
	handled  bool // the handlers of its type have been called
	err      bool // it cannot be activated
}

func newMobyPlugin() *mobyPlugin {
	p := &mobyPlugin{}
	p.wait.L = &p.mu
	return p
}

// moby29733 has a handler registered for a type of plugins. It is to be called for those
// that are activated later, so that a plugin used to count as active, once more, when it
// had been.
func moby29733(ctx context.Context, g *routines, fixed bool) {
	p := newMobyPlugin()
	p.manifest, p.handled = true, true
	active := func() bool { return p.manifest && (fixed || p.handled) }
	g.Go(ctx, "GetAll", func(ctx context.Context) {
		p.mu.Lock(ctx) // waitActive
		defer p.mu.Unlock()
		for !active() {
			p.wait.Wait(ctx)
		}
		p.handled = true
	})
	g.Go(ctx, "Handle", func(ctx context.Context) {
		p.mu.Lock(ctx)
		defer p.mu.Unlock()
		p.handled = false
	})
}

// moby30408 activates a plugin, which may fail.
func moby30408(ctx context.Context, g *routines, fixed bool) {
	p := newMobyPlugin()
	g.Go(ctx, "waitActive", func(ctx context.Context) {
		p.mu.Lock(ctx)
		defer p.mu.Unlock()
		for !p.manifest && !(fixed && p.err) {
			p.wait.Wait(ctx)
		}
	})
	g.Go(ctx, "activate", func(ctx context.Context) {
		p.mu.Lock(ctx)
		defer p.mu.Unlock()
		p.err = sim.From(ctx).Draw(2) == 1
		p.manifest = !p.err
		p.wait.Broadcast(ctx)
	})
}

// moby36114 is a virtual machine to which disks are added, all of them or none.
func moby36114(ctx context.Context, g *routines, fixed bool) {
	var svm mutex
	attached := 0
	remove := func() { attached = 0 }
	hotRemoveVHDs := func(ctx context.Context) {
		svm.Lock(ctx)
		defer svm.Unlock()
		remove()
	}
	hotAddVHDs := func(ctx context.Context) {
		svm.Lock(ctx)
		defer svm.Unlock()
		for range 3 {
			switch {
			case sim.From(ctx).Draw(8) < 7:
				attached++
			case fixed: // what removes them knows that the lock is held
				remove()
				return
			default:
				hotRemoveVHDs(ctx)
				return
			}
		}
	}
	g.Go(ctx, "hotAddVHDs", hotAddVHDs)
	g.Go(ctx, "hotRemoveVHDs", hotRemoveVHDs)
}
