//go:build unix

package pgtasks_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/internal/servertest"
	"github.com/asyncio-go/asyncio/interop/pgtasks"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestMain(m *testing.M) { check.Run(m) }

// run gives main a pool of a server of its own, and a loop with few places of
// Blocking.
func run(t *testing.T, dsn, pool string, main func(ctx context.Context, db *pgtasks.DB) error) {
	t.Helper()
	r := &asyncio.Runner{Options: asyncio.LoopOptions{MaxBlocking: 4}}
	err := r.Run(t.Context(), func(ctx context.Context) error {
		db, err := pgtasks.Open(dsn + " " + pool)
		if err != nil {
			return err
		}
		return errors.Join(main(ctx, db), db.Close(ctx))
	})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
}

// one asks for one value.
func one[T any](ctx context.Context, db *pgtasks.DB, query string, args ...any) (T, error) {
	return pgtasks.With(ctx, db, func(ctx context.Context, c *pgxpool.Conn) (v T, err error) {
		err = c.QueryRow(ctx, query, args...).Scan(&v)
		return v, err
	})
}

func exec(ctx context.Context, db *pgtasks.DB, query string, args ...any) error {
	_, err := pgtasks.With(ctx, db, func(ctx context.Context, c *pgxpool.Conn) (int, error) {
		_, err := c.Exec(ctx, query, args...)
		return 0, err
	})
	return err
}

func TestPostgres(t *testing.T) {
	dsn := servertest.Postgres(t)
	t.Run("ManyTasksShareFewConnections", func(t *testing.T) { manyTasks(t, dsn) })
	t.Run("CancelledQueryFreesItsConnection", func(t *testing.T) { cancelledQuery(t, dsn) })
	t.Run("NotificationsFeedAQueue", func(t *testing.T) { notifications(t, dsn) })
	t.Run("ListenerEndsWhenTheQueueIsFull", func(t *testing.T) { overrun(t, dsn) })
}

func manyTasks(t *testing.T, dsn string) {
	run(t, dsn, "pool_max_conns=3", func(ctx context.Context, db *pgtasks.DB) error {
		sum := 0
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for i := range 100 {
				g.Go(func(ctx context.Context) error {
					n, err := one[int](ctx, db, "select $1::int * 2 from pg_sleep(0.001)", i)
					sum += n
					return err
				})
			}
			return nil
		})
		if sum != 9900 {
			t.Errorf("the sum is %d, want 9900", sum)
		}
		return err
	})
}

// sleeping counts the sessions that are in the sleep of the test below.
const sleeping = "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)' and wait_event = 'PgSleep'"

func cancelledQuery(t *testing.T, dsn string) {
	run(t, dsn, "pool_max_conns=1", func(ctx context.Context, db *pgtasks.DB) error {
		before, err := one[int](ctx, db, "select pg_backend_pid()")
		if err != nil {
			return err
		}
		sleep := asyncio.Go(ctx, func(ctx context.Context) error { return exec(ctx, db, "select pg_sleep(600)") })
		waits := asyncio.Go(ctx, func(ctx context.Context) error { return exec(ctx, db, "select 1") })
		other, err := pgtasks.Open(dsn)
		if err != nil {
			return err
		}
		for sleepers := 0; sleepers == 0; {
			if sleepers, err = one[int](ctx, other, sleeping); err != nil {
				return err
			}
		}
		sleep.Cancel(errors.New("nobody waits for it"))
		if _, err := sleep.Await(ctx); err == nil {
			t.Error("pg_sleep ended by itself")
		}
		if _, err := waits.Await(ctx); err != nil {
			t.Errorf("the next query: %v", err)
		}
		after, err := one[int](ctx, db, "select pg_backend_pid()")
		if after != before {
			t.Error("the connection was lost")
		}
		sleepers, err2 := one[int](ctx, other, sleeping)
		if sleepers != 0 {
			t.Error("the server sleeps on")
		}
		return errors.Join(err, err2, other.Close(ctx))
	})
}

func notifications(t *testing.T, dsn string) {
	run(t, dsn, "pool_max_conns=2", func(ctx context.Context, db *pgtasks.DB) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			defer g.Cancel()
			news := asyncio.NewQueue[string](100)
			_, err := asyncio.StartIn(ctx, g, func(ctx context.Context, started func(struct{})) error {
				return pgtasks.Listen(ctx, db, "news", news, func() { started(struct{}{}) })
			})
			if err != nil {
				return err
			}
			for i := range 20 {
				if err := exec(ctx, db, "select pg_notify('news', $1)", fmt.Sprint(i)); err != nil {
					return err
				}
			}
			for i := range 20 {
				if got, err := news.Get(ctx); got != fmt.Sprint(i) || err != nil {
					t.Errorf("got %q, %v, want %d", got, err, i)
				}
			}
			return nil
		})
	})
}

func overrun(t *testing.T, dsn string) {
	run(t, dsn, "pool_max_conns=2", func(ctx context.Context, db *pgtasks.DB) error {
		var listening asyncio.Event
		listener := asyncio.Go(ctx, func(ctx context.Context) error {
			return pgtasks.Listen(ctx, db, "news", asyncio.NewQueue[string](1), listening.Set)
		})
		if err := listening.Wait(ctx); err != nil {
			return err
		}
		err := exec(ctx, db, "select pg_notify('news', x::text) from generate_series(1, 5) x")
		if _, err := listener.Await(ctx); !errors.Is(err, asyncio.ErrQueueFull) {
			t.Errorf("Listen: %v", err)
		}
		return err
	})
}
