package goker

import (
	"context"

	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

const syncthingPulls = "https://github.com/syncthing/syncthing/pull/"

var syncthing = []bugs.Bug{
	bug("syncthing#4829", syncthingPulls+"4829",
		"a mapping tells its subscribers under its lock, which that takes once more", syncthing4829),
	bug("syncthing#5795", syncthingPulls+"5795",
		"a connection is closed from a callback of the loop whose end the close waits for", syncthing5795),
}

// syncthing4829 is a port mapping, whose addresses are cleared when its time is over.
func syncthing4829(ctx context.Context, g *routines, fixed bool) {
	var mut rwMutex
	addresses, told := sim.From(ctx).Draw(2), 0
	notify := func(ctx context.Context) {
		mut.RLock(ctx)
		told++
		mut.RUnlock()
	}
	g.Go(ctx, "clearAddresses", func(ctx context.Context) {
		mut.Lock(ctx)
		removed := addresses
		addresses = 0
		if fixed {
			mut.Unlock()
		} else {
			defer mut.Unlock()
		}
		if removed > 0 {
			notify(ctx)
		}
	})
	g.Go(ctx, "ExternalAddresses", func(ctx context.Context) {
		mut.RLock(ctx)
		defer mut.RUnlock()
	})
}

// syncthing5795 is a connection: a reader hands messages to a dispatcher, of which the
// first is the configuration of the cluster. The model may answer it by Close.
func syncthing5795(ctx context.Context, g *routines, fixed bool) {
	inbox, closed, dispatcherStopped := makeChan[string](0), makeChan[struct{}](0), makeChan[struct{}](0)
	var closing once
	internalClose := func(ctx context.Context) {
		closing.Do(ctx, func() {
			closed.Close(ctx)
			dispatcherStopped.Recv(ctx)
		})
	}
	closeConnection := func(ctx context.Context) {
		if fixed {
			g.Go(ctx, "internalClose", internalClose)
		} else {
			internalClose(ctx)
		}
	}
	g.Go(ctx, "dispatcherLoop", func(ctx context.Context) {
		defer dispatcherStopped.close()
		var message string
		for choose(ctx, recv(inbox, &message), recv(closed, nil)) == 0 {
			if message == "cluster config" {
				closeConnection(ctx)
			}
		}
	})
	g.Go(ctx, "readerLoop", func(ctx context.Context) {
		for _, message := range []string{"ping", "cluster config"} {
			if choose(ctx, send(inbox, message), recv(closed, nil)) == 1 {
				return
			}
		}
		dispatcherStopped.Recv(ctx)
	})
	if sim.From(ctx).Draw(2) == 0 { // the service gives the connection up
		closeConnection(ctx)
	}
}
