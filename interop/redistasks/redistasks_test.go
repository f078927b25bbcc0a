//go:build unix

package redistasks_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/internal/servertest"
	"github.com/asyncio-go/asyncio/interop/redistasks"
	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) { check.Run(m) }

// run gives main a client with three connections, and a loop with few places of
// Blocking.
func run(t *testing.T, o redis.Options, main func(ctx context.Context, c *redistasks.Client) error) {
	t.Helper()
	o.PoolSize, o.Protocol = 3, 2
	r := &asyncio.Runner{Options: asyncio.LoopOptions{MaxBlocking: 4}}
	err := r.Run(t.Context(), func(ctx context.Context) error {
		c := redistasks.Open(&o)
		return errors.Join(main(ctx, c), c.Close())
	})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
}

func push(ctx context.Context, c *redistasks.Client, list, value string) error {
	_, err := redistasks.Do(ctx, c, func(ctx context.Context, r *redis.Client) (int64, error) {
		return r.RPush(ctx, list, value).Result()
	})
	return err
}

func TestRedis(t *testing.T) {
	o := redis.Options{Network: "unix", Addr: servertest.Redis(t)}
	t.Run("ManyTasksShareFewConnections", func(t *testing.T) { manyTasks(t, o) })
	t.Run("PopWaits", func(t *testing.T) { popWaits(t, o) })
	t.Run("CancelledPopTakesNothing", func(t *testing.T) { popCancelled(t, o) })
	t.Run("MessagesReachTheTask", func(t *testing.T) { messages(t, o) })
}

func manyTasks(t *testing.T, o redis.Options) {
	run(t, o, func(ctx context.Context, c *redistasks.Client) error {
		last := int64(0)
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range 200 {
				g.Go(func(ctx context.Context) error {
					n, err := redistasks.Do(ctx, c, func(ctx context.Context, r *redis.Client) (int64, error) {
						return r.Incr(ctx, "count").Result()
					})
					last = max(last, n)
					return err
				})
			}
			return nil
		})
		if last != 200 {
			t.Errorf("counted to %d, want 200", last)
		}
		return err
	})
}

// A list is waited for by more tasks than there are connections.
func popWaits(t *testing.T, o redis.Options) {
	run(t, o, func(ctx context.Context, c *redistasks.Client) error {
		got := map[string]bool{}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range 5 {
				g.Go(func(ctx context.Context) error {
					v, err := c.Pop(ctx, "jobs")
					got[v] = true
					return err
				})
			}
			for i := range 5 {
				g.Go(func(ctx context.Context) error { return push(ctx, c, "jobs", fmt.Sprint(i)) })
			}
			return nil
		})
		if len(got) != 5 {
			t.Errorf("popped %v", got)
		}
		return err
	})
}

func popCancelled(t *testing.T, o redis.Options) {
	run(t, o, func(ctx context.Context, c *redistasks.Client) error {
		err := asyncio.Timeout(ctx, time.Millisecond, func(ctx context.Context) error {
			_, err := c.Pop(ctx, "empty")
			return err
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("Pop: %v", err)
		}
		if err := push(ctx, c, "empty", "v"); err != nil {
			return err
		}
		v, err := c.Pop(ctx, "empty")
		if v != "v" {
			t.Errorf("popped %q", v)
		}
		return err
	})
}

func messages(t *testing.T, o redis.Options) {
	run(t, o, func(ctx context.Context, c *redistasks.Client) error {
		got := ""
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			defer g.Cancel()
			done := asyncio.NewFuture[string](ctx)
			_, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(int)) error {
				return c.Subscribe(ctx, "news", func() { started(0) }, func(ctx context.Context, m string) error {
					if got += m; m == "9" {
						done.SetResult(got)
					}
					return nil
				})
			})
			if err != nil {
				return err
			}
			for i := range 10 {
				_, err := redistasks.Do(ctx, c, func(ctx context.Context, r *redis.Client) (int64, error) {
					return r.Publish(ctx, "news", i).Result()
				})
				if err != nil {
					return err
				}
			}
			all, err := done.Await(ctx)
			if all != "0123456789" {
				t.Errorf("got %q", all)
			}
			return err
		})
	})
}

// A server that does not answer holds a task up for as long as the timeouts say.
func TestSubscribe_ServerDoesNotAnswer(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	silent := redis.Options{Network: "unix", Addr: l.Addr().String(), ReadTimeout: time.Millisecond, MaxRetries: -1, DialerRetries: 1}
	run(t, silent, func(ctx context.Context, c *redistasks.Client) error {
		err := c.Subscribe(ctx, "news", func() { t.Error("subscribed to nothing") }, nil)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("Subscribe: %v", err)
		}
		return nil
	})
}
