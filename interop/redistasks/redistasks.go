// Package redistasks uses Redis, through go-redis, from the tasks of a loop.
package redistasks

import (
	"context"
	"errors"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/redis/go-redis/v9"
)

// A Client is a Redis client with as many commands under way at a time as it has
// connections. It belongs to one loop.
type Client struct {
	redis *redis.Client
	conns *asyncio.Semaphore
}

// Open makes a client. It does not connect yet, and so does not block. Keep
// PoolSize below MaxBlocking.
func Open(o *redis.Options) *Client {
	c := redis.NewClient(o)
	return &Client{c, asyncio.NewSemaphore(c.Options().PoolSize)}
}

// Close closes the client and its connections. It does not wait.
func (c *Client) Close() error { return c.redis.Close() }

// Do runs f, which blocks, off the loop. It awaits.
//
// go-redis does not interrupt a command that was sent: after a cancellation of ctx
// the wait goes on until the answer is there, or for ReadTimeout, 3 s unless set.
func Do[T any](ctx context.Context, c *Client, f func(ctx context.Context, r *redis.Client) (T, error)) (v T, err error) {
	err = c.conns.Do(ctx, func(ctx context.Context) error {
		v, err = asyncio.Blocking(ctx, func(ctx context.Context) (T, error) { return f(ctx, c.redis) })
		return err
	})
	return v, err
}

// round is how long the server may keep a command waiting. go-redis makes less
// than a second one.
const round = time.Second

// Pop takes the first value of a list, and waits while there is none. A
// cancellation ends the wait within a second, and then no value was taken. Since it
// asks in rounds, it gives its connection to others in between.
func (c *Client) Pop(ctx context.Context, list string) (string, error) {
	for {
		got, err := Do(ctx, c, func(ctx context.Context, r *redis.Client) ([]string, error) {
			return r.BLPop(context.WithoutCancel(ctx), round, list).Result()
		})
		if err == nil {
			return got[1], nil // the name of the list comes first
		}
		if !errors.Is(err, redis.Nil) {
			return "", err
		}
	}
}

// Subscribe calls f, in the task, with each message of a channel until ctx is
// cancelled or f fails. f may await, but must keep up: go-redis keeps 100 messages,
// and drops one that finds no room for a minute. It calls subscribed once none is
// missed.
func (c *Client) Subscribe(ctx context.Context, channel string, subscribed func(), f func(ctx context.Context, message string) error) error {
	sub := c.redis.Subscribe(ctx) // to no channel yet: nothing is sent
	defer sub.Close()
	_, err := asyncio.Blocking(ctx, func(ctx context.Context) (any, error) {
		if err := sub.Subscribe(ctx, channel); err != nil {
			return nil, err
		}
		return sub.ReceiveTimeout(ctx, c.redis.Options().ReadTimeout)
	})
	if err != nil {
		return err
	}
	subscribed()
	messages := sub.Channel()
	for {
		m, ok, err := asyncio.Recv(ctx, messages)
		if err != nil {
			return err
		}
		if !ok {
			return redis.ErrClosed
		}
		if err := f(ctx, m.Payload); err != nil {
			return err
		}
	}
}
