// Package pgtasks queries PostgreSQL, through pgx, from the tasks of a loop.
package pgtasks

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A DB is a pool of connections that are handed out on the loop. It belongs to
// one loop.
type DB struct {
	pool  *pgxpool.Pool
	conns *asyncio.Semaphore
	plain *pgx.ConnConfig // for connections that are not of the pool
}

// Open makes a pool. It does not connect yet, and so does not block.
//
// Without the handler that it sets, pgx closes the connection of a query that is
// cancelled. With it the server is asked to stop, and the connection stays.
func Open(dsn string) (*DB, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("pgtasks: %w", err)
	}
	plain := config.ConnConfig.Copy()
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 5 * time.Second}
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("pgtasks: %w", err)
	}
	return &DB{pool, asyncio.NewSemaphore(int(config.MaxConns)), plain}, nil
}

// Close waits until no connection is in use, and closes them.
func (db *DB) Close(ctx context.Context) error {
	_, err := asyncio.Blocking(context.WithoutCancel(ctx), func(context.Context) (int, error) { db.pool.Close(); return 0, nil })
	return err
}

// With runs f, which blocks, with a connection, off the loop. It awaits; ctx also
// ends what f does under it. Tasks wait for a connection without a place of
// Blocking.
func With[T any](ctx context.Context, db *DB, f func(ctx context.Context, c *pgxpool.Conn) (T, error)) (v T, err error) {
	err = db.conns.Do(ctx, func(ctx context.Context) error {
		v, err = asyncio.Blocking(ctx, func(ctx context.Context) (T, error) {
			c, err := db.pool.Acquire(ctx)
			if err != nil {
				var none T
				return none, err
			}
			defer c.Release()
			return f(ctx, c)
		})
		return err
	})
	return v, err
}

// Listen puts the notifications of a channel into a queue until ctx is cancelled
// or the queue is full: who takes them must keep up. It calls listening, on the
// loop, once none is missed. It has a connection of its own, and takes a place of
// Blocking for all that time.
func Listen(ctx context.Context, db *DB, channel string, to *asyncio.Queue[string], listening func()) error {
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	ctx, stop := asyncio.WithCancel(ctx)
	defer stop()
	var full error // belongs to the loop
	put := func(payload string) {
		if err := to.TryPut(payload); err != nil && full == nil {
			full = fmt.Errorf("pgtasks: listen %s: %w", channel, err)
			stop()
		}
	}
	_, err = asyncio.Blocking(ctx, func(ctx context.Context) (int, error) {
		c, err := pgx.ConnectConfig(ctx, db.plain)
		if err != nil {
			return 0, err
		}
		defer c.Close(context.WithoutCancel(ctx))
		if _, err := c.Exec(ctx, "listen "+channel); err != nil {
			return 0, err
		}
		loop.CallSoon(listening)
		for {
			n, err := c.WaitForNotification(ctx)
			if err != nil {
				return 0, err
			}
			loop.CallSoon(func() { put(n.Payload) })
		}
	})
	if full != nil {
		return full
	}
	return err
}
