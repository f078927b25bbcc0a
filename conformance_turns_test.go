package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A turnCount is one of the numbers of loop iterations that were measured in
// asyncio 3.14 and 3.15, and what the same takes here. docs/conformance.md says
// why some are less.
type turnCount struct {
	there, here int
	do          func(ctx context.Context) error
}

var turnCounts = map[string]turnCount{
	"a future that is done": {0, 0, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		f.SetResult(1)
		_, err := f.Await(ctx)
		return err
	}},
	"50 nested calls and a Yield": {1, 1, func(ctx context.Context) error { return callsDeep(ctx, 50) }},
	"Yield":                       {1, 1, asyncio.Yield},
	"a new task":                  {2, 2, func(ctx context.Context) error { _, err := asyncio.Go(ctx, nothing).Await(ctx); return err }},
	"a future that a callback sets": {2, 2, func(ctx context.Context) error {
		l, loopErr := asyncio.RunningLoop(ctx)
		f := asyncio.NewFuture[int](ctx)
		l.CallSoon(func() { f.SetResult(1) })
		_, err := f.Await(ctx)
		return errors.Join(loopErr, err)
	}},
	"WaitFor": {0, 0, func(ctx context.Context) error {
		_, err := asyncio.WaitFor(ctx, time.Second, nothingV)
		return err
	}},
	"Gather of two": {3, 2, func(ctx context.Context) error {
		_, err := asyncio.Gather(ctx, nothingV, nothingV)
		return err
	}},
	"two eager tasks": {0, 0, func(ctx context.Context) error {
		a, b := asyncio.SpawnWith(ctx, eager, nothingV), asyncio.SpawnWith(ctx, eager, nothingV)
		_, errA := a.Await(ctx)
		_, errB := b.Await(ctx)
		return errors.Join(errA, errB)
	}},
	"Group of one": {3, 2, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error { g.Go(nothing); return nil })
	}},
	"Group of one that is eager": {2, 0, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true, Group: g}, nothingV)
			return nil
		})
	}},
	"Wait for a new task": {3, 2, func(ctx context.Context) error {
		_, _, err := asyncio.Wait(ctx, asyncio.AllDone, asyncio.Go(ctx, nothing))
		return err
	}},
	"Get of what a new task puts": {2, 2, func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		asyncio.Go(ctx, func(ctx context.Context) error { return q.Put(ctx, 1) })
		_, err := q.Get(ctx)
		return err
	}},
}

// callsDeep yields n calls deep.
func callsDeep(ctx context.Context, n int) error {
	if n == 0 {
		return asyncio.Yield(ctx)
	}
	return callsDeep(ctx, n-1)
}

func TestTurns_AreAsyncioIterationsOrFewer(t *testing.T) {
	for name, c := range turnCounts {
		run(t, func(ctx context.Context) error {
			turns := countTurns(ctx)
			before := turns()
			err := c.do(ctx)
			if got := turns() - before; got != c.here {
				t.Errorf("%s: %d turns, want %d", name, got, c.here)
			}
			if c.here > c.there {
				t.Errorf("%s: asyncio needs %d iterations, and %d turns are promised here", name, c.there, c.here)
			}
			return err
		})
	}
}

func TestTurns_OfANewTask(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		turns := countTurns(ctx)
		before := turns()
		_, err := asyncio.Go(ctx, func(context.Context) error { s.add("it runs at +%d", turns()-before); return nil }).Await(ctx)
		s.add("who awaits at +%d", turns()-before)
		return err
	})
	s.want(t, "it runs at +1", "who awaits at +2")
}

func TestTurns_OfACancellationUpAChainOfFour(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		turns, before := countTurns(ctx), 0
		var chain []*asyncio.Task[int]
		for i := range 4 {
			chain = append(chain, asyncio.Spawn(ctx, func(ctx context.Context) (_ int, err error) {
				if i == 0 {
					err = sleepLong(ctx)
				} else {
					_, err = chain[i-1].Await(ctx)
				}
				s.add("%d at +%d", i+1, turns()-before)
				return 0, err
			}))
		}
		err := asyncio.Yield(ctx)
		before = turns()
		chain[0].Cancel(errBoom)
		_, outermost := chain[3].Await(ctx)
		s.add("outside at +%d", turns()-before)
		wantCancelled(t, "the outermost", outermost, errBoom)
		return err
	})
	s.want(t, "1 at +1", "2 at +2", "3 at +3", "4 at +4", "outside at +5")
}

func TestTurns_OfALockThatIsHandedOn(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		var lock asyncio.Lock
		turns, before := countTurns(ctx), 0
		if err := lock.Acquire(ctx); err != nil {
			return err
		}
		for i := range 3 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				return lock.Do(ctx, func(context.Context) error { s.add("waiter %d at +%d", i+1, turns()-before); return nil })
			})
		}
		err := asyncio.Yield(ctx)
		before = turns()
		lock.Release()
		return errors.Join(err, lock.Do(ctx, func(context.Context) error { s.add("barger at +%d", turns()-before); return nil }))
	})
	s.want(t, "waiter 1 at +1", "waiter 2 at +2", "waiter 3 at +3", "barger at +4")
}
