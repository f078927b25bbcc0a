package loophttp

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A body is a request's body for a task. A goroutine reads it from the client,
// from the first Read on and up to two buffers ahead.
type body struct {
	loop   *asyncio.Loop
	source io.Reader
	size   int // of a buffer
	http2  bool
	none   bool

	in      chan input    // unbuffered: who receives is done with the buffer before
	quit    chan struct{} // the request ends
	ended   chan struct{} // the goroutine has ended
	started atomic.Bool
	whole   atomic.Bool // all of it has come

	rest []byte // these belong to the task
	err  error
}

type input struct {
	data []byte
	err  error
}

func newBody(loop *asyncio.Loop, r *http.Request) *body {
	b := &body{loop: loop, source: r.Body, size: chunk, http2: r.ProtoMajor == 2,
		none: r.Body == nil || r.Body == http.NoBody,
		in:   make(chan input), quit: make(chan struct{}), ended: make(chan struct{})}
	if 0 < r.ContentLength && r.ContentLength < chunk {
		b.size = int(r.ContentLength)
	}
	b.whole.Store(b.none)
	return b
}

// Read implements [io.Reader]. It awaits.
func (b *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(b.rest) == 0 && b.err == nil {
		if b.started.CompareAndSwap(false, true) {
			go b.pump()
		}
		got, _, err := asyncio.Recv(b.loop.Context(), b.in)
		if err != nil {
			return 0, err
		}
		b.rest, b.err = got.data, got.err
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	if n == 0 {
		return 0, b.err
	}
	return n, nil
}

// Close implements [io.Closer]. What was not read is net/http's to deal with.
func (b *body) Close() error {
	b.rest, b.err = nil, http.ErrBodyReadAfterClose
	return nil
}

// pump reads the body.
func (b *body) pump() {
	defer close(b.ended)
	here, next := make([]byte, b.size), make([]byte, b.size)
	for {
		n, err := b.source.Read(here)
		if err == io.EOF {
			b.whole.Store(true)
		}
		select {
		case b.in <- input{here[:n], err}:
		case <-b.quit:
			return
		}
		if err != nil {
			return
		}
		here, next = next, here
	}
}

// stop ends pump, and returns when it has: only then the request may end. It reports
// whether it had to interrupt a read from the client.
func (b *body) stop(control *http.ResponseController) (interrupted bool) {
	close(b.quit)
	if !b.started.Load() {
		return false
	}
	select {
	case <-b.ended:
	default:
		if !b.whole.Load() { // net/http waits for the next request now: leave its deadline alone
			interrupted = true
			_ = control.SetReadDeadline(time.Unix(1, 0))
		}
		<-b.ended
	}
	return interrupted
}
