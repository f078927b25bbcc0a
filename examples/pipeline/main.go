// Pipeline sends requests over one connection without waiting for the answers in
// between, which come in the order of the requests. Callers are cancelled at
// every possible moment, and yet nobody gets the answer to another one's request.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
)

const callers = 5

func main() {
	answered, cancelled, runs := 0, 0, 0
	for at := range 15 { // all are answered by then
		for turn := range 5 { // several things happen in one millisecond
			r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
			err := r.Run(context.Background(), func(ctx context.Context) error {
				n, err := try(ctx, time.Duration(at)*time.Millisecond, turn)
				answered += n
				cancelled += callers - n
				return err
			})
			if err != nil {
				log.Fatalf("cancelled after %d ms and %d turns: %v", at, turn, err)
			}
			runs++
		}
	}
	fmt.Printf("%d runs: %d requests answered, %d cancelled\n", runs, answered, cancelled)
	fmt.Println("no answer went to the wrong caller")
}

// A client is one connection to a server.
type client struct {
	requests *asyncio.Queue[string] // the connection, one way
	answers  *asyncio.Queue[string] // and the other
	sending  asyncio.Lock
	unread   *asyncio.Queue[*asyncio.Future[string]] // of each request that was sent, in order
}

// connect starts, in g, a server and the task that reads what it answers.
func connect(g *asyncio.TaskGroup) *client {
	c := &client{
		requests: asyncio.NewQueue[string](1),
		answers:  asyncio.NewQueue[string](1),
		unread:   asyncio.NewQueue[*asyncio.Future[string]](0),
	}
	g.Go(c.serve)
	g.Go(c.read)
	return c
}

// Ask sends a request and waits for its answer. It does not read the answer
// itself: a caller that reads, and is cancelled after it has sent its request,
// leaves an answer in the connection, which the next caller takes for its own.
func (c *client) Ask(ctx context.Context, request string) (string, error) {
	answer := asyncio.NewFuture[string](ctx)
	err := c.sending.Do(ctx, func(ctx context.Context) error {
		// The lock keeps the two in the same order. Put has happened or has
		// not: if it has, no await comes before the answer is expected; if not,
		// none is. A real connection may be left in the middle of a request:
		// there, Shield the sending, or close the connection.
		if err := c.requests.Put(ctx, request); err != nil {
			return err
		}
		return c.unread.TryPut(answer)
	})
	if err != nil {
		return "", err
	}
	return answer.Await(ctx)
}

// read gives each answer to the request that it belongs to. Of a caller that is
// gone nobody reads the future; the answer is taken off the connection all the same.
func (c *client) read(ctx context.Context) error {
	for text, err := range c.answers.All(ctx) {
		if err != nil {
			return err
		}
		answer, err := c.unread.Get(ctx)
		if err != nil {
			return err
		}
		answer.SetResult(text)
	}
	return nil
}

// serve is the other end: it answers one request after another.
func (c *client) serve(ctx context.Context) error {
	for request, err := range c.requests.All(ctx) {
		if err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, 2*time.Millisecond); err != nil {
			return err
		}
		if err := c.answers.Put(ctx, "answer to "+request); err != nil {
			return err
		}
	}
	return nil
}

// try has callers ask at the same time and cancels every second one at the given
// moment. It returns how many were answered, and fails if one was with what is
// not its own.
func try(ctx context.Context, at time.Duration, turn int) (answered int, err error) {
	err = asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		c := connect(g)
		ask := func(ctx context.Context, request string) error {
			answer, err := c.Ask(ctx, request)
			if err == nil && answer != "answer to "+request {
				return fmt.Errorf("%s got the %s", request, answer)
			}
			return err
		}
		var tasks []*asyncio.Task[struct{}]
		for n := range callers {
			tasks = append(tasks, g.Go(func(ctx context.Context) error { return ask(ctx, fmt.Sprint("request ", n)) }))
		}
		if err := asyncio.Sleep(ctx, at); err != nil {
			return err
		}
		for range turn {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		for n := 1; n < callers; n += 2 {
			tasks[n].Cancel(nil)
		}
		for _, t := range tasks {
			if _, err := t.Await(ctx); err == nil {
				answered++
			} // the group tells an error that is no cancellation
		}
		err := ask(ctx, "one more") // the connection is as good as new
		g.Cancel()                  // the server and the reader
		return err
	})
	return answered, err
}
