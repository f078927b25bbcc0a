package goker

import (
	"context"

	"github.com/asyncio-go/asyncio/sim/bugs"
)

const cockroachdb = "https://github.com/cockroachdb/cockroach/pull/"

var cockroach = []bugs.Bug{
	bug("cockroach#584", cockroachdb+"584",
		"a loop of the gossip ends without unlocking what the next one needs", cockroach584),
	bug("cockroach#1055", cockroachdb+"1055",
		"Stop holds the lock while it waits for workers, one of which wants it to begin a task", cockroach1055),
	bug("cockroach#1462", cockroachdb+"1462",
		"the receiver of a transport stops before the sender, whose end is awaited", cockroach1462),
	bug("cockroach#2448", cockroachdb+"2448",
		"raft sends events to the store, which sends callbacks to raft, and both channels are full", cockroach2448),
	bug("cockroach#3710", cockroachdb+"3710",
		"a read lock is taken twice, with a writer in between", cockroach3710),
	bug("cockroach#6181", cockroachdb+"6181",
		"what is logged under a read lock takes it again, with a writer in between", cockroach6181),
	bug("cockroach#7504", cockroachdb+"7504",
		"the lock of a lease and that of the name cache are taken in both orders", cockroach7504),
	bug("cockroach#9935", cockroachdb+"9935",
		"a logger that cannot write leaves through a function that takes the lock it holds", cockroach9935),
	bug("cockroach#10214", cockroachdb+"10214",
		"the raft lock and that of the heartbeats are taken in both orders", cockroach10214),
	bug("cockroach#10790", cockroachdb+"10790",
		"a cancelled command leaves behind who waits for commands that never end", cockroach10790),
	bug("cockroach#13197", cockroachdb+"13197",
		"a transaction is neither committed nor rolled back, and somebody watches its context", cockroach13197),
	bug("cockroach#13755", cockroachdb+"13755",
		"rows are not closed when they are asked for again, and somebody watches their context", cockroach13755),
	bug("cockroach#16167", cockroachdb+"16167",
		"a read lock is taken again further down, with an update of the configuration in between", cockroach16167),
	bug("cockroach#18101", cockroachdb+"18101",
		"a cancelled restore waits for a worker that sends what nobody receives", cockroach18101),
	bug("cockroach#24808", cockroachdb+"24808",
		"Start fills a channel that a suggestion has filled, before anybody receives from it", cockroach24808),
	bug("cockroach#25456", cockroachdb+"25456",
		"a look whether the store stops is a wait until it does", cockroach25456),
	bug("cockroach#35073", cockroachdb+"35073",
		"an outbox that cannot connect does not tell those who push into it", cockroach35073),
	bug("cockroach#35931", cockroachdb+"35931",
		"a cancelled flow tells its streams one after another, and the first is full", cockroach35931),
}

// cockroach584 is the gossip: bootstrap and manage look whether it is closed.
func cockroach584(ctx context.Context, g *routines, fixed bool) {
	var mu mutex
	closed := false
	loop := func(ctx context.Context) {
		for {
			mu.Lock(ctx)
			if closed {
				if fixed {
					mu.Unlock()
				}
				return
			}
			mu.Unlock()
		}
	}
	g.Go(ctx, "bootstrap", loop)
	g.Go(ctx, "manage", loop)
	mu.Lock(ctx)
	closed = true
	mu.Unlock()
}

// cockroach1055 is the stopper: Stop waits for tasks, and then for workers.
func cockroach1055(ctx context.Context, g *routines, fixed bool) {
	var mu mutex
	var drain, stop waitGroup
	draining := false
	stopper := makeChan[struct{}](0)
	startTask := func(ctx context.Context) bool {
		if !fixed && draining {
			return false
		}
		mu.Lock(ctx)
		defer mu.Unlock()
		if fixed && draining {
			return false
		}
		drain.Add(1)
		return true
	}
	for range 2 {
		stop.Add(1)
		g.Go(ctx, "worker", func(ctx context.Context) {
			defer stop.Done()
			for chooseNow(ctx, recv(stopper, nil)) < 0 {
				if startTask(ctx) {
					step(ctx)
					drain.Done()
				}
			}
		})
	}
	steps(ctx, 2)
	mu.Lock(ctx) // Stop
	draining = true
	if fixed {
		mu.Unlock()
	} else {
		defer mu.Unlock()
	}
	drain.Wait(ctx)
	stopper.Close(ctx)
	stop.Wait(ctx)
}

// cockroach1462 is a transport of tests, which shows each message to the test before it
// is delivered. The test looks at them until the stopper says to stop, which is when no
// task is left.
func cockroach1462(ctx context.Context, g *routines, fixed bool) {
	var stop, tasks waitGroup
	draining := false
	stopper := makeChan[struct{}](0)
	messages, events := makeChan[int](100), makeChan[*channel[struct{}]](0)
	show := func(ctx context.Context) {
		seen := makeChan[struct{}](0)
		events.Send(ctx, seen)
		seen.Recv(ctx)
	}
	stop.Add(2)
	g.Go(ctx, "transport", func(ctx context.Context) {
		defer stop.Done()
		for choose(ctx, recv(messages, nil), recv(stopper, nil)) == 0 {
			switch {
			case !fixed:
				show(ctx)
			case !draining: // it is a task
				tasks.Add(1)
				show(ctx)
				tasks.Done()
			}
		}
	})
	g.Go(ctx, "processEventsUntil", func(ctx context.Context) {
		defer stop.Done()
		var seen *channel[struct{}]
		for choose(ctx, recv(events, &seen), recv(stopper, nil)) == 0 {
			seen.Close(ctx)
		}
	})
	g.Go(ctx, "node", func(ctx context.Context) {
		for message := range 2 {
			messages.Send(ctx, message)
		}
	})
	steps(ctx, 12)
	draining = true
	tasks.Wait(ctx)
	stopper.Close(ctx)
	stop.Wait(ctx)
}
