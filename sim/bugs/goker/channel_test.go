package goker

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio/sim"
)

func TestChannel_HandsEachValueOnceAndInOrder(t *testing.T) {
	for size := range 3 {
		holds(t, func(ctx context.Context, g *routines) {
			c := makeChan[int](size)
			g.Go(ctx, "sender", func(ctx context.Context) {
				for i := range 4 {
					c.Send(ctx, i)
					sim.Always(ctx, c.Len() <= size, "no more than the size is buffered")
				}
				c.Close(ctx)
			})
			got := slices.Collect(c.All(ctx))
			sim.Always(ctx, slices.Equal(got, []int{0, 1, 2, 3}), "all values, in order")
		})
	}
}

func TestChannel_ManyToMany(t *testing.T) {
	for size := range 2 {
		holds(t, func(ctx context.Context, g *routines) {
			c := makeChan[int](size)
			var senders, receivers waitGroup
			senders.Add(3)
			receivers.Add(2)
			sum := 0
			for i := range 3 {
				g.Go(ctx, "sender", func(ctx context.Context) {
					defer senders.Done()
					c.Send(ctx, 1<<(2*i))
					c.Send(ctx, 2<<(2*i))
				})
			}
			for range 2 {
				g.Go(ctx, "receiver", func(ctx context.Context) {
					defer receivers.Done()
					for v := range c.All(ctx) {
						sum += v
					}
				})
			}
			senders.Wait(ctx)
			c.Close(ctx)
			receivers.Wait(ctx)
			sim.Always(ctx, sum == 63, "each value once")
		})
	}
}

func TestChannel_UnbufferedSendWaitsForItsReceiver(t *testing.T) {
	fails(t, sim.KindDeadlock, func(ctx context.Context, g *routines) {
		c := makeChan[int](0)
		g.Go(ctx, "other", step)
		c.Send(ctx, 1)
	})
}

func TestChannel_NilWaitsForEver(t *testing.T) {
	var none *channel[int]
	for _, f := range []func(ctx context.Context){
		func(ctx context.Context) { none.Recv(ctx) },
		func(ctx context.Context) { none.Send(ctx, 1) },
	} {
		fails(t, sim.KindDeadlock, func(ctx context.Context, g *routines) {
			g.Go(ctx, "other", step)
			f(ctx)
		})
	}
}

func TestChannel_SendersPanicWhenItIsClosed(t *testing.T) {
	fails(t, sim.KindPanic, func(ctx context.Context, g *routines) {
		c := makeChan[int](0)
		g.Go(ctx, "sender", func(ctx context.Context) { c.Send(ctx, 1) })
		c.Close(ctx)
	})
}

func TestChannel_ClosedAfterTheHandOverIsNoPanic(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		c := makeChan[int](0)
		g.Go(ctx, "sender", func(ctx context.Context) { c.Send(ctx, 1) })
		c.Recv(ctx)
		c.close() // while the sender has not run again
	})
}

func TestChoose_TakesOneCase(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		a, b := makeChan[int](0), makeChan[int](0)
		sum := 0
		g.Go(ctx, "a", func(ctx context.Context) { a.Send(ctx, 1) })
		g.Go(ctx, "b", func(ctx context.Context) { b.Send(ctx, 2) })
		for range 2 {
			var v int
			first := choose(ctx, recv(a, &v), recv(b, &v))
			sim.Sometimes(ctx, first == 0, "a")
			sim.Sometimes(ctx, first == 1, "b")
			sum += v
		}
		sim.Always(ctx, sum == 3, "each once")
	})
}

func TestChoose_MeetsItselfInOthers(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		a, b := makeChan[int](0), makeChan[int](0)
		sent, received := 0, 0
		both := func(ctx context.Context) {
			var v int
			switch choose(ctx, send(a, 1), recv(b, &v)) {
			case 0:
				sent++
			case 1:
				received++
			}
		}
		g.Go(ctx, "one", both)
		g.Go(ctx, "other", func(ctx context.Context) {
			var v int
			choose(ctx, recv(a, &v), send(b, 1))
			sent++
		})
		sleep(ctx, time.Second) // until all others wait
		sim.Always(ctx, sent+received == 2, "they met")
	})
}

func TestChooseNow_DoesNotWait(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		c := makeChan[int](1)
		g.Go(ctx, "other", step)
		sim.Always(ctx, chooseNow(ctx, recv(c, nil)) == -1, "nothing to receive")
		sim.Always(ctx, chooseNow(ctx, send(c, 7)) == 0, "sent")
		sim.Always(ctx, chooseNow(ctx, send(c, 8)) == -1, "full")
		v := 0
		sim.Always(ctx, chooseNow(ctx, recv(c, &v)) == 0 && v == 7, "received")
	})
}

func TestWithCancel_ReachesChildren(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		parent, cancel := withCancel(ctx)
		child, _ := withCancel(parent)
		g.Go(child, "child", func(ctx context.Context) {
			done(ctx).Recv(ctx)
			sim.Always(ctx, cancelled(ctx), "cancelled")
		})
		sim.Always(ctx, done(ctx) == nil && !cancelled(ctx), "main is not cancelled")
		cancel(ctx)
		late, _ := withCancel(parent)
		sim.Always(ctx, cancelled(late), "cancelled from the start")
	})
}

func TestWithTimeout_StrikesOnVirtualTime(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		limited, _ := withTimeout(ctx, time.Hour)
		_, stop := withTimeout(ctx, 2*time.Hour)
		tick := after(ctx, time.Minute)
		g.Go(ctx, "other", func(ctx context.Context) {
			tick.Recv(ctx)
			sim.Always(ctx, sim.From(ctx).Now() == time.Minute, "a minute")
		})
		stop(ctx)
		done(limited).Recv(ctx)
		sim.Always(ctx, sim.From(ctx).Now() == time.Hour, "an hour")
	})
}
