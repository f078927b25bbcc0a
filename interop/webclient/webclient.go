// Package webclient makes HTTP requests from the tasks of a loop.
package webclient

import (
	"context"
	"io"
	"iter"
	"net/http"

	"github.com/asyncio-go/asyncio"
)

// A Client bounds how many requests its tasks make at a time. It belongs to one
// loop.
type Client struct {
	HTTP  *http.Client
	slots *asyncio.Semaphore
}

// New makes a client for at most limit requests at a time. Keep limit below
// MaxBlocking, or requests take all places of Blocking.
func New(client *http.Client, limit int) *Client {
	return &Client{HTTP: client, slots: asyncio.NewSemaphore(limit)}
}

// Do sends r, calls f with the response, and closes its body. It awaits: a
// cancellation of ctx, which replaces that of r, ends the wait for a place, the
// request, and the reading of the body.
func (c *Client) Do(ctx context.Context, r *http.Request, f func(ctx context.Context, r *http.Response) error) error {
	return c.slots.Do(ctx, func(ctx context.Context) error {
		response, err := asyncio.Blocking(ctx, func(ctx context.Context) (*http.Response, error) {
			return c.HTTP.Do(r.WithContext(ctx))
		})
		if err != nil {
			return err
		}
		defer response.Body.Close() // does not wait for the server
		return f(ctx, response)
	})
}

// Chunks are the parts of a body as they come, of at most size bytes each. A
// part is valid until the next. The body is read no faster than the parts are
// taken. An error is in the last pair.
func Chunks(ctx context.Context, body io.Reader, size int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		buffer := make([]byte, size)
		for {
			n, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { return body.Read(buffer) })
			if n > 0 && !yield(buffer[:n], nil) || err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}
