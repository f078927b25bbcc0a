package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// inGroups runs f in a task that so many others wait for, each of them in a group
// around the next.
func inGroups(ctx context.Context, depth int, f func(ctx context.Context) error) error {
	return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
		if depth > 1 {
			f := f
			g.Go(func(ctx context.Context) error { return inGroups(ctx, depth-1, f) })
		} else {
			g.Go(f)
		}
		return nil
	})
}

// joiner is a task that waits for n others, which sleep.
func joiner(ctx context.Context, n int) *asyncio.Task[struct{}] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			for range n {
				g.Go(sleepLong)
			}
			return nil
		})
	})
}

// A search for circles goes both ways by turns, so that the smaller side bounds it:
// those who wait for the task that is about to wait, or those whom it would wait for.
func TestWaitGraph_SearchIsBoundedByItsSmallerSide(t *testing.T) {
	for _, c := range []struct {
		name                         string
		groups, friends, chain, wide int
		smaller                      int
	}{
		{name: "few behind, many ahead", groups: 3, wide: 1000, smaller: 4},
		{name: "many behind in groups, few ahead", groups: 500, chain: 4, wide: 1, smaller: 6},
		{name: "many behind that await it, few ahead", friends: 1000, chain: 4, wide: 1, smaller: 6},
		{name: "many behind, more ahead", groups: 100, wide: 1000, smaller: 101},
		{name: "many behind, many ahead in a row", friends: 1000, chain: 100, wide: 1, smaller: 102},
	} {
		t.Run(c.name, func(t *testing.T) {
			calmly(t, func(ctx context.Context) error {
				l, err := asyncio.RunningLoop(ctx)
				if err != nil {
					return err
				}
				sub, cancel := asyncio.WithCancel(ctx)
				defer cancel()
				end := joiner(sub, c.wide)
				for range c.chain {
					next := end
					end = asyncio.Go(sub, func(ctx context.Context) error { _, err := next.Await(ctx); return err })
				}
				begin := asyncio.Event{}
				await := func(ctx context.Context) error {
					_ = begin.Wait(ctx)
					_, err := end.Await(ctx)
					return err
				}
				var center *asyncio.Task[struct{}]
				if c.groups > 0 {
					asyncio.Go(sub, func(ctx context.Context) error { return inGroups(ctx, c.groups, await) })
				} else {
					center = asyncio.Go(sub, await)
				}
				for range c.friends {
					asyncio.Go(sub, func(ctx context.Context) error { _, err := center.Await(ctx); return err })
				}
				_ = asyncio.Sleep(ctx, time.Minute)
				begin.Set()
				_ = asyncio.Sleep(ctx, time.Minute)
				if n := asyncio.Searched(l); n < c.smaller || n > 2*c.smaller+2 {
					t.Errorf("the search came by %d tasks, want %d to %d", n, c.smaller, 2*c.smaller+2)
				}
				cancel()
				return nil
			})
		})
	}
}
