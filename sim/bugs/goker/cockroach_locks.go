package goker

import (
	"context"

	"github.com/asyncio-go/asyncio/sim"
)

// cockroach3710 is a store that puts its replicas into a queue, which asks the store for
// the raft status of each.
func cockroach3710(ctx context.Context, g *routines, fixed bool) {
	var mu rwMutex
	raftStatus := func(ctx context.Context) {
		mu.RLock(ctx)
		defer mu.RUnlock()
	}
	g.Go(ctx, "ForceRaftLogScanAndProcess", func(ctx context.Context) {
		mu.RLock(ctx)
		if fixed { // it copies the list of replicas
			mu.RUnlock()
		} else {
			defer mu.RUnlock()
		}
		for range 2 {
			raftStatus(ctx)
		}
	})
	g.Go(ctx, "processRaft", func(ctx context.Context) {
		steps(ctx, 3)
		mu.Lock(ctx)
		defer mu.Unlock()
	})
}

// cockroach6181 is the cache of range descriptors, which logs itself at a lookup.
func cockroach6181(ctx context.Context, g *routines, fixed bool) {
	var mu rwMutex
	logCache := func(ctx context.Context) {
		if !fixed { // String locks
			mu.RLock(ctx)
			defer mu.RUnlock()
		}
	}
	for range 2 {
		g.Go(ctx, "lookup", func(ctx context.Context) {
			mu.RLock(ctx)
			logCache(ctx)
			mu.RUnlock()
			step(ctx) // asks the database for what is missing
			mu.Lock(ctx)
			defer mu.Unlock()
		})
	}
}

// cockroach7504 is the cache of table leases: get looks a lease up by its name, release
// takes the last reference to one and its name.
func cockroach7504(ctx context.Context, g *routines, fixed bool) {
	var table, names, lease mutex
	references := 1
	remove := func(ctx context.Context) {
		names.Lock(ctx)
		defer names.Unlock()
	}
	g.Go(ctx, "get", func(ctx context.Context) {
		names.Lock(ctx)
		defer names.Unlock()
		lease.Lock(ctx)
		defer lease.Unlock()
	})
	g.Go(ctx, "release", func(ctx context.Context) {
		table.Lock(ctx)
		defer table.Unlock()
		lease.Lock(ctx)
		references--
		last := references == 0
		if fixed {
			lease.Unlock()
		} else {
			defer lease.Unlock()
		}
		if last {
			remove(ctx)
		}
	})
}

// cockroach9935 is the logger, whose file cannot be made now and then.
func cockroach9935(ctx context.Context, g *routines, fixed bool) {
	var mu mutex
	exited := false
	exit := func(ctx context.Context) {
		if !fixed {
			mu.Lock(ctx)
			defer mu.Unlock()
		}
		exited = true
	}
	outputLogEntry := func(ctx context.Context) {
		mu.Lock(ctx)
		defer mu.Unlock()
		if !exited && sim.From(ctx).Chance(50) { // createFile fails
			exit(ctx)
		}
	}
	g.Go(ctx, "log", outputLogEntry)
	g.Go(ctx, "log", outputLogEntry)
}

// cockroach10214 is a store with coalesced heartbeats: raft leaves its own there, and
// hears from there who cannot be reached.
func cockroach10214(ctx context.Context, g *routines, fixed bool) {
	var raft, coalesced, unreachables mutex
	maybeCoalesceHeartbeat := func(ctx context.Context) {
		coalesced.Lock(ctx)
		defer coalesced.Unlock()
	}
	reportUnreachable := func(ctx context.Context) {
		mu := &raft
		if fixed {
			mu = &unreachables
		}
		mu.Lock(ctx)
		defer mu.Unlock()
	}
	g.Go(ctx, "tick", func(ctx context.Context) {
		raft.Lock(ctx)
		defer raft.Unlock()
		if fixed {
			unreachables.Lock(ctx)
			unreachables.Unlock()
		}
		maybeCoalesceHeartbeat(ctx)
	})
	g.Go(ctx, "sendQueuedHeartbeats", func(ctx context.Context) {
		steps(ctx, 2)
		coalesced.Lock(ctx)
		defer coalesced.Unlock()
		for range 2 { // nodes
			reportUnreachable(ctx)
		}
	})
}

// cockroach16167 is the executor of statements, which read the configuration that the
// gossip updates.
func cockroach16167(ctx context.Context, g *routines, fixed bool) {
	var config rwMutex
	getDatabaseCache := func(ctx context.Context) {
		if fixed { // it is an atomic value
			return
		}
		config.RLock(ctx)
		defer config.RUnlock()
	}
	g.Go(ctx, "execParsed", func(ctx context.Context) {
		if !fixed { // no update until the statement is done
			config.RLock(ctx)
			defer config.RUnlock()
		}
		step(ctx)
		getDatabaseCache(ctx)
		if fixed { // only while the update is verified
			config.Lock(ctx)
			defer config.Unlock()
		}
	})
	g.Go(ctx, "updateSystemConfig", func(ctx context.Context) {
		steps(ctx, 3)
		config.Lock(ctx)
		defer config.Unlock()
	})
}
