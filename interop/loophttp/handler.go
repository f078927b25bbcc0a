// Package loophttp answers HTTP requests in tasks of an event loop. The server
// around it is net/http's, with its goroutines, HTTP/2, TLS and middleware; what
// is handed to [Handler] runs on the loop, one step at a time, so that handlers
// share state without a lock.
package loophttp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/call"
)

// Handler returns a handler that has next answer each request in a task of loop.
// It may be called from any goroutine, as net/http does.
//
// In next, r.Context() is the scope of the task, with the values of the
// request's context: pass it to whatever awaits. Reading r.Body and writing to w
// await too, and obey the innermost scope of the task that calls them: they wait
// while the client is slow. One task at a time may write.
//
// The task is cancelled when the client goes away and when the loop shuts down. A
// request that ends so before anything was sent is answered with 503, and so is
// every request once the loop is closed. One that has begun to be answered is
// broken off, so that the client does not take a part for the whole. A panic is
// reported by the loop, and ends only its request: with 500, or broken off.
//
// w flushes, sends informational headers and trailers; it does not hijack, and has
// no deadlines. The body may be read while the answer is written. Bound it in next,
// by [http.MaxBytesReader]: [http.MaxBytesHandler] around it would use net/http's w
// while it is being used.
func Handler(loop *asyncio.Loop, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := newBody(loop, r)
		answer := &response{loop: loop, header: w.Header().Clone(), out: make(chan piece, queued)}
		task := asyncio.Submit(loop, func(ctx context.Context) (ending, error) {
			ctx = call.Join(ctx, r.Context())
			r := r.WithContext(ctx)
			if !body.none {
				r.Body = body
			}
			return answer.serve(ctx, next, r), nil
		})
		g := &request{w: w, control: http.NewResponseController(w), body: body, answer: answer, task: task}
		g.relay(r.Context())
		g.closes = body.stop(g.control) && !body.http2
		g.finish()
	})
}

// A request is the side of the request's goroutine, which alone uses w.
type request struct {
	w       http.ResponseWriter
	control *http.ResponseController
	body    *body
	answer  *response // of which it reads the channel; the rest once the task has returned
	task    *asyncio.Submission[ending]
	begun   bool // the header was sent
	closes  bool // the connection must not be used again
}

// relay passes on what the task writes, until the task has ended.
func (g *request) relay(ctx context.Context) {
	gone := ctx.Done()
	for {
		select {
		case p := <-g.answer.out:
			g.prepare(p)
			if err := g.send(p); err != nil {
				g.task.Cancel(fmt.Errorf("loophttp: the client cannot be written to: %w", err))
			}
		case <-gone:
			gone = nil
			g.task.Cancel(fmt.Errorf("loophttp: the request has ended: %w", context.Cause(ctx)))
		case <-g.task.Done():
			return
		}
	}
}

// prepare lets the task read the body after its answer has begun. net/http must
// not take what is left of the body for another request then.
func (g *request) prepare(p piece) {
	if p.status >= 200 && !g.body.whole.Load() {
		_ = g.control.EnableFullDuplex() // an error means that it is, or cannot be
		g.closes = !g.body.http2
	}
}

func (g *request) send(p piece) error {
	if p.header != nil {
		h := g.w.Header()
		clear(h)
		maps.Copy(h, p.header)
		g.setClose()
		g.begun = g.begun || p.status >= 200
		g.w.WriteHeader(p.status)
	}
	if len(p.data) > 0 {
		if _, err := g.w.Write(p.data); err != nil {
			return err
		}
	}
	if p.flush {
		if err := g.control.Flush(); !errors.Is(err, http.ErrNotSupported) {
			return err
		}
	}
	return nil
}

func (g *request) setClose() {
	if g.closes {
		g.w.Header().Set("Connection", "close")
	}
}

// finish ends the response as the task has ended. Nobody reads the body any more.
func (g *request) finish() {
	for len(g.answer.out) > 0 {
		_ = g.send(<-g.answer.out)
	}
	end, err := g.task.Wait(context.Background()) // is done
	g.setClose()
	var panicked *asyncio.PanicError
	switch {
	case end == answered:
		_ = g.send(g.answer.rest())
		maps.Copy(g.w.Header(), g.answer.header) // with the trailers
	case end == aborted || g.begun:
		panic(http.ErrAbortHandler) // how net/http is told to break the connection off
	case errors.As(err, &panicked):
		http.Error(g.w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	default:
		http.Error(g.w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
	}
}
