package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A groupCount counts how many of its tasks run at a time.
type groupCount struct{ running, most, ran int }

// work is a task of d.
func (c *groupCount) work(d time.Duration) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		c.running++
		c.ran++
		c.most = max(c.most, c.running)
		defer func() { c.running-- }()
		return asyncio.Sleep(ctx, d)
	}
}

func TestGroupLimit_BoundsHowManyRun(t *testing.T) {
	for _, c := range []struct {
		limit, most int
		past        time.Duration
	}{{1, 1, 10 * time.Second}, {3, 3, 4 * time.Second}, {10, 10, time.Second}, {11, 10, time.Second}, {0, 10, time.Second}, {-1, 10, time.Second}} {
		run(t, func(ctx context.Context) error {
			n := &groupCount{}
			var err error
			past := took(t, ctx, func() {
				err = asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
					g.SetLimit(c.limit)
					for range 10 {
						g.Go(n.work(time.Second))
					}
					return nil
				})
			})
			if n.most != c.most || n.ran != 10 || past != c.past {
				t.Errorf("limit %d: %d of %d ran at a time, %v long, want %d, %v", c.limit, n.most, n.ran, past, c.most, c.past)
			}
			return err
		})
	}
}

func TestGroupLimit_LetsThemBeginInOrder(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(2)
			start := func(i int, d time.Duration) {
				g.Go(func(ctx context.Context) error {
					s.add("%d", i)
					return asyncio.Sleep(ctx, d)
				})
			}
			for i, d := range []time.Duration{3, 1, 1, 1, 1} {
				start(i, d*time.Second)
			}
			_ = asyncio.Sleep(ctx, 1500*time.Millisecond)
			start(5, 0) // behind those that wait already
			s.add("f ends")
			return nil
		})
	})
	s.want(t, "0", "1", "2", "f ends", "3", "4", "5")
}

func TestGroupLimit_MayChangeWhileTasksRun(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		n := &groupCount{}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			tell := func(limit int) {
				g.SetLimit(limit)
				_ = asyncio.Yield(ctx)
				s.add("%d: %d", limit, n.running)
			}
			g.SetLimit(2)
			for range 20 {
				g.Go(n.work(time.Second))
			}
			tell(2)
			tell(5) // lets three more begin
			tell(1) // and stops nobody
			_ = asyncio.Sleep(ctx, 1500*time.Millisecond)
			s.add("then %d", n.running)
			tell(3)
			tell(0) // lets all begin
			return nil
		})
		if n.ran != 20 {
			t.Errorf("%d tasks ran", n.ran)
		}
		return err
	})
	s.want(t, "2: 2", "5: 5", "1: 5", "then 1", "3: 3", "0: 15")
}

func TestGroupLimit_MayBeSetFromACallback(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		n := &groupCount{}
		var groupErr error
		past := took(t, ctx, func() {
			groupErr = asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				g.SetLimit(1)
				l.CallLater(1500*time.Millisecond, func() { g.SetLimit(8) })
				for range 10 {
					g.Go(n.work(time.Second))
				}
				return nil
			})
		})
		if past != 3*time.Second || n.most != 8 {
			t.Errorf("it took %v, with %d at a time", past, n.most)
		}
		return errors.Join(err, groupErr)
	})
}

// A crawler: tasks that start tasks in their own limited group, without end to the
// depth, never wait for each other.
func TestGroupLimit_TasksMayStartTasksInTheirOwnGroup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		n, seen := &groupCount{}, map[string]bool{}
		err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(3)
			var visit func(page string) func(ctx context.Context) error
			visit = func(page string) func(ctx context.Context) error {
				return func(ctx context.Context) error {
					err := n.work(time.Second)(ctx)
					for i := 0; i < 3 && len(page) < 6; i++ {
						link := fmt.Sprint(page, i)
						if back := link[len(link)/2:]; !seen[link] && back != "2" {
							seen[link] = true
							g.Go(visit(link))
						}
					}
					return err
				}
			}
			g.Go(visit("/"))
			return nil
		})
		if n.most != 3 || n.ran != len(seen)+1 || n.ran < 100 {
			t.Errorf("%d pages of %d visited, %d at a time", n.ran, len(seen)+1, n.most)
		}
		return err
	})
}

func TestGroupLimit_EagerTasks(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(2)
			o := asyncio.TaskOptions{Group: g, Eager: true}
			start := func(name string, d time.Duration) *asyncio.Task[int] {
				return asyncio.SpawnWith(ctx, o, func(ctx context.Context) (int, error) {
					s.add("%s begins", name)
					if d == 0 {
						return 0, nil
					}
					return 0, asyncio.Sleep(ctx, d)
				})
			}
			for i := range 3 {
				start(fmt.Sprint("instant ", i), 0) // which is done before it could count
			}
			start("a", time.Second)
			start("b", 2*time.Second)
			held := start("held", time.Second)
			s.add("held is %v", held.State())
			return nil
		})
	})
	s.want(t, "instant 0 begins", "instant 1 begins", "instant 2 begins", "a begins", "b begins", "held is created", "held begins")
}
