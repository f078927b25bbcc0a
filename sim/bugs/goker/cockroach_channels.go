package goker

import (
	"context"
	"errors"
	"time"
)

// cockroach2448 is multiraft and its store: the one sends an event for each command, the
// other a callback for each event.
func cockroach2448(ctx context.Context, g *routines, fixed bool) {
	const n = 3
	commands, events, callbacks := makeChan[int](0), makeChan[int](1), makeChan[int](0)
	g.Go(ctx, "multiraft", func(ctx context.Context) {
		var pending []int
		for called, sent := 0, 0; called < n || sent < n; {
			var to *channel[int] // nil if there is nothing to send
			var first, command int
			if len(pending) > 0 {
				to, first = events, pending[0]
			}
			switch choose(ctx, recv(commands, &command), recv(callbacks, nil), send(to, first)) {
			case 0:
				if fixed {
					pending = append(pending, command)
				} else {
					events.Send(ctx, command)
					sent++
				}
			case 1:
				called++
			case 2:
				pending = pending[1:]
				sent++
			}
		}
	})
	g.Go(ctx, "store", func(ctx context.Context) {
		for range n {
			event, _ := events.Recv(ctx)
			callbacks.Send(ctx, event)
		}
	})
	for i := range n {
		commands.Send(ctx, i)
		steps(ctx, 4)
	}
}

// cockroach10790 is a command that waits for those before it. One that is cancelled stays
// in the queue until they are done, and they may be cancelled too.
func cockroach10790(ctx context.Context, g *routines, fixed bool) {
	quiesce := makeChan[struct{}](0)
	before := []*channel[struct{}]{makeChan[struct{}](0), makeChan[struct{}](0)}
	request, cancel := withCancel(ctx)
	var commands waitGroup
	commands.Add(2)
	g.Go(request, "beginCmds", func(ctx context.Context) {
		defer commands.Done()
		for i, command := range before {
			if choose(ctx, recv(command, nil), recv(done(ctx), nil)) == 0 {
				continue
			}
			g.Go(ctx, "leaveQueue", func(ctx context.Context) {
				var stop *channel[struct{}]
				if fixed {
					stop = quiesce
				}
				for _, command := range before[i:] {
					choose(ctx, recv(command, nil), recv(stop, nil))
				}
			})
			return
		}
	})
	g.Go(request, "endCmds", func(ctx context.Context) {
		defer commands.Done()
		for _, command := range before {
			if cancelled(ctx) {
				return
			}
			command.Close(ctx)
		}
	})
	steps(ctx, 6)
	cancel(ctx)
	commands.Wait(ctx)
	quiesce.Close(ctx)
}

// cockroach13197 is database/sql: a goroutine rolls a transaction back whose context
// ends, and ends when the transaction does.
func cockroach13197(ctx context.Context, g *routines, fixed bool) {
	begin := func(ctx context.Context) (rollback func(ctx context.Context)) {
		ctx, cancel := withCancel(ctx)
		g.Go(ctx, "awaitDone", func(ctx context.Context) { done(ctx).Recv(ctx) })
		return cancel
	}
	exec := func(ctx context.Context) error {
		step(ctx)
		return errors.New("it cannot be executed")
	}
	rollback := begin(ctx)
	if err := exec(ctx); err != nil {
		if fixed {
			rollback(ctx)
		}
		return
	}
	rollback(ctx)
}

// cockroach13755 is a test that asks again until a change of the schema shows.
func cockroach13755(ctx context.Context, g *routines, fixed bool) {
	changed := false
	query := func(ctx context.Context) (closeRows func(ctx context.Context)) {
		ctx, cancel := withCancel(ctx)
		g.Go(ctx, "awaitDone", func(ctx context.Context) { done(ctx).Recv(ctx) })
		return cancel
	}
	g.Go(ctx, "change the schema", func(ctx context.Context) {
		step(ctx)
		changed = true
	})
	steps(ctx, 2)
	for {
		closeRows := query(ctx)
		if step(ctx); changed {
			closeRows(ctx)
			return
		}
		if fixed {
			closeRows(ctx)
		}
		sleep(ctx, time.Millisecond)
	}
}

// cockroach18101 is a restore: one task says which spans are ready, another imports them.
func cockroach18101(ctx context.Context, g *routines, fixed bool) {
	const spans = 4
	ctx, cancel := withCancel(ctx)
	var workers waitGroup
	ready := makeChan[int](1)
	workers.Add(1)
	g.Go(ctx, "splitAndScatter", func(ctx context.Context) {
		defer workers.Done()
		for span := range spans {
			stop := done(ctx)
			if !fixed {
				stop = nil
			}
			if choose(ctx, send(ready, span), recv(stop, nil)) == 1 {
				return
			}
		}
		ready.Close(ctx)
	})
	g.Go(ctx, "cancel", func(ctx context.Context) {
		steps(ctx, 20)
		cancel(ctx)
	})
	for span := 0; span < spans; span++ {
		if choose(ctx, recv(ready, nil), recv(done(ctx), nil)) == 1 {
			break
		}
	}
	workers.Wait(ctx)
}

// cockroach24808 is the compactor, which wakes itself up when it starts.
func cockroach24808(ctx context.Context, g *routines, fixed bool) {
	wake, stopper := makeChan[struct{}](1), makeChan[struct{}](0)
	wakeUp := func(ctx context.Context) { chooseNow(ctx, send(wake, struct{}{})) }
	g.Go(ctx, "Suggest", wakeUp)
	if fixed { // Start
		wakeUp(ctx)
	} else {
		wake.Send(ctx, struct{}{})
	}
	g.Go(ctx, "compactor", func(ctx context.Context) {
		for choose(ctx, recv(stopper, nil), recv(wake, nil)) == 1 {
		}
	})
	stopper.Close(ctx)
}

// cockroach25456 is the queue of consistency checks, which reports no failure of a store
// that stops.
func cockroach25456(ctx context.Context, g *routines, fixed bool) {
	var checks waitGroup
	quiesce := makeChan[struct{}](0)
	process := func(ctx context.Context) (report bool) {
		defer checks.Done()
		step(ctx) // the check fails
		if fixed {
			return chooseNow(ctx, recv(quiesce, nil)) < 0
		}
		_, open := quiesce.Recv(ctx)
		return open
	}
	checks.Add(2)
	for range 2 {
		g.Go(ctx, "process", func(ctx context.Context) { process(ctx) })
	}
	checks.Wait(ctx)
	quiesce.Close(ctx)
}

// cockroach35073 is an outbox, which sends the rows that are pushed into it to another
// node.
func cockroach35073(ctx context.Context, g *routines, fixed bool) {
	rows := makeChan[int](1)
	closed := false
	consumerClosed := func(ctx context.Context) {
		closed = true
		chooseNow(ctx, recv(rows, nil)) // lets a producer go that waits
	}
	g.Go(ctx, "producer", func(ctx context.Context) {
		for row := 0; row < 3 && !closed; row++ {
			rows.Send(ctx, row)
		}
	})
	outbox := func(ctx context.Context) error {
		if fixed {
			defer consumerClosed(ctx)
		}
		step(ctx)
		return errors.New("the node cannot be reached")
	}
	g.Go(ctx, "outbox", func(ctx context.Context) { _ = outbox(ctx) })
}

// cockroach35931 is a flow that is cancelled: a processor of two inputs waits for the
// second, and the first has a row that it does not take.
func cockroach35931(ctx context.Context, g *routines, fixed bool) {
	left, right := makeChan[string](1), makeChan[string](1)
	g.Go(ctx, "processor", func(ctx context.Context) {
		right.Recv(ctx)
		left.Recv(ctx)
		left.Recv(ctx)
	})
	g.Go(ctx, "cancel", func(ctx context.Context) {
		for _, input := range []*channel[string]{left, right} {
			push := func(ctx context.Context) { input.Send(ctx, "cancelled") }
			if fixed {
				g.Go(ctx, "push", push)
			} else {
				push(ctx)
			}
		}
	})
	g.Go(ctx, "inbound stream", func(ctx context.Context) { left.Send(ctx, "row") })
}
