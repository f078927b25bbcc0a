package goker

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// holds fails the test unless k passes under every schedule that is tried.
func holds(t *testing.T, k func(ctx context.Context, g *routines)) {
	t.Helper()
	if r := sim.Explore(program(k), sim.Options{Seeds: 500, Jobs: 1}); r.Failure != nil {
		t.Error(r.Failure)
	}
}

// fails fails the test unless k fails in that way under some schedule.
func fails(t *testing.T, kind sim.Kind, k func(ctx context.Context, g *routines)) {
	t.Helper()
	r := sim.Explore(program(k), sim.Options{Seeds: 500, Jobs: 1})
	if r.Failure == nil || r.Failure.Kind != kind {
		t.Errorf("want a failure of kind %s, got %v", kind, r.Failure)
	}
}

func TestMutex_KeepsOthersOut(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		var mu mutex
		inside := 0
		for range 3 {
			g.Go(ctx, "worker", func(ctx context.Context) {
				mu.Lock(ctx)
				defer mu.Unlock()
				inside++
				step(ctx)
				sim.Always(ctx, inside == 1, "alone")
				inside--
			})
		}
	})
}

func TestMutex_OrderInversionIsADeadlock(t *testing.T) {
	fails(t, sim.KindDeadlock, func(ctx context.Context, g *routines) {
		var a, b mutex
		both := func(first, second *mutex) func(ctx context.Context) {
			return func(ctx context.Context) {
				first.Lock(ctx)
				defer first.Unlock()
				second.Lock(ctx)
				defer second.Unlock()
			}
		}
		g.Go(ctx, "ab", both(&a, &b))
		g.Go(ctx, "ba", both(&b, &a))
	})
}

func TestRWMutex_ManyReadOneWrites(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		var mu rwMutex
		readers, writers := 0, 0
		for range 2 {
			g.Go(ctx, "reader", func(ctx context.Context) {
				mu.RLock(ctx)
				defer mu.RUnlock()
				readers++
				step(ctx)
				sim.Always(ctx, writers == 0, "no writer beside readers")
				sim.Sometimes(ctx, readers == 2, "two readers")
				readers--
			})
			g.Go(ctx, "writer", func(ctx context.Context) {
				mu.Lock(ctx)
				defer mu.Unlock()
				writers++
				step(ctx)
				sim.Always(ctx, writers == 1 && readers == 0, "a writer is alone")
				writers--
			})
		}
	})
}

func TestRWMutex_WriterHoldsUpReaders(t *testing.T) {
	fails(t, sim.KindDeadlock, func(ctx context.Context, g *routines) {
		var mu rwMutex
		g.Go(ctx, "reads twice", func(ctx context.Context) {
			mu.RLock(ctx)
			defer mu.RUnlock()
			mu.RLock(ctx)
			defer mu.RUnlock()
		})
		g.Go(ctx, "writer", func(ctx context.Context) {
			mu.Lock(ctx)
			defer mu.Unlock()
		})
	})
}

func TestRWMutex_ReadersGoBeforeTheNextWriter(t *testing.T) {
	var order []string
	holds(t, func(ctx context.Context, g *routines) {
		var mu rwMutex
		order = nil
		mu.Lock(ctx)
		g.Go(ctx, "writer", func(ctx context.Context) {
			mu.Lock(ctx)
			order = append(order, "writer")
			mu.Unlock()
		})
		for range 2 {
			g.Go(ctx, "reader", func(ctx context.Context) {
				mu.RLocker().Lock(ctx)
				order = append(order, "reader")
				mu.RLocker().Unlock()
			})
		}
		sleep(ctx, time.Second) // until all others wait
		mu.Unlock()
		sleep(ctx, time.Second) // until all others wait
		sim.Always(ctx, slices.Equal(order, []string{"reader", "reader", "writer"}), "readers first")
	})
}

func TestWaitGroup_WaitsForAll(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		var wg waitGroup
		done := 0
		wg.Add(3)
		for range 3 {
			g.Go(ctx, "worker", func(ctx context.Context) {
				defer wg.Done()
				step(ctx)
				done++
			})
		}
		wg.Wait(ctx)
		sim.Always(ctx, done == 3, "all are done")
		wg.Wait(ctx) // of none
	})
}

func TestCond_SignalIsLostOnNobody(t *testing.T) {
	fails(t, sim.KindDeadlock, func(ctx context.Context, g *routines) {
		mu := &mutex{}
		c := cond{L: mu}
		g.Go(ctx, "waits", func(ctx context.Context) {
			mu.Lock(ctx)
			defer mu.Unlock()
			c.Wait(ctx)
		})
		c.Signal(ctx)
	})
}

func TestCond_BroadcastWakesAll(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		mu := &mutex{}
		c := cond{L: mu}
		open := false
		for range 3 {
			g.Go(ctx, "waits", func(ctx context.Context) {
				mu.Lock(ctx)
				defer mu.Unlock()
				for !open {
					c.Wait(ctx)
				}
			})
		}
		mu.Lock(ctx)
		open = true
		mu.Unlock()
		c.Broadcast(ctx)
	})
}

func TestOnce_RunsOnceAndLetsOthersWait(t *testing.T) {
	holds(t, func(ctx context.Context, g *routines) {
		var o once
		begun, ended := 0, 0
		for range 3 {
			g.Go(ctx, "caller", func(ctx context.Context) {
				o.Do(ctx, func() {
					begun++
					step(ctx)
					ended++
				})
				sim.Always(ctx, begun == 1 && ended == 1, "ran once, to its end")
			})
		}
	})
}

func TestRoutines_PanicsAreSeen(t *testing.T) {
	fails(t, sim.KindPanic, func(ctx context.Context, g *routines) {
		var wg waitGroup
		g.Go(ctx, "one too many", func(context.Context) { wg.Done() })
		g.Go(ctx, "other", func(ctx context.Context) { must(asyncio.Yield(ctx)) })
	})
}
