package loophttp

import (
	"context"
	"fmt"
	"net/http"

	"github.com/asyncio-go/asyncio"
)

// A request that is written faster than its client reads holds at most
// (queued + 2) * chunk bytes: queued, at the goroutine, and not yet full.
const (
	chunk  = 32 << 10
	queued = 2
)

// A piece is what crosses from the task to the request's goroutine.
type piece struct {
	status int
	header http.Header // nil if it was sent
	data   []byte
	flush  bool
}

// A response is the task's side of an http.ResponseWriter. Its fields, except
// out, belong to the task.
type response struct {
	loop   *asyncio.Loop
	header http.Header
	status int // 0 until WriteHeader
	begun  bool
	data   []byte
	out    chan piece
}

var _ http.Flusher = (*response)(nil)

// An ending is how the handler has returned; zero if it has not.
type ending int

const (
	answered  ending = iota + 1
	cancelled        // with no answer, or maybe with a part of it
	aborted          // by http.ErrAbortHandler, which is not worth a report
)

// serve is the task.
func (w *response) serve(ctx context.Context, next http.Handler, r *http.Request) (end ending) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			end = aborted
		default:
			panic(v)
		}
		if r.MultipartForm != nil { // net/http does not know of this r
			_ = r.MultipartForm.RemoveAll()
		}
	}()
	next.ServeHTTP(w, r)
	if ctx.Err() != nil && (w.status == 0 || w.begun) {
		return cancelled
	}
	return answered
}

// Header implements [http.ResponseWriter].
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter]. An informational status is sent
// at once, which awaits; others go with what is written.
func (w *response) WriteHeader(status int) {
	switch {
	case status < 100 || status > 999:
		panic(fmt.Sprintf("loophttp: invalid WriteHeader code %d", status))
	case w.status != 0:
	case status < 200 && status != http.StatusSwitchingProtocols:
		_ = asyncio.Send(w.loop.Context(), w.out, piece{status: status, header: w.header.Clone()})
	default:
		w.status = status
	}
}

// Write implements [http.ResponseWriter]. It awaits while the client is slow. If it
// fails, the task was cancelled, or a bracket of it such as a Timeout, and n bytes
// of p were written.
func (w *response) Write(p []byte) (n int, err error) {
	ctx := w.loop.Context()
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	for len(p) > 0 {
		if len(w.data) == chunk {
			if err := w.push(ctx, false); err != nil {
				return n, err
			}
		}
		k := min(len(p), chunk-len(w.data))
		w.data = append(w.data, p[:k]...)
		n, p = n+k, p[k:]
	}
	return n, nil
}

// Flush implements [http.Flusher]. It awaits as Write does.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is Flush with its error. [http.ResponseController] calls it.
func (w *response) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.push(w.loop.Context(), true)
}

// push hands over what was written. If it fails, nothing was.
func (w *response) push(ctx context.Context, flush bool) error {
	p := w.rest()
	p.flush = flush
	if err := asyncio.Send(ctx, w.out, p); err != nil {
		return err
	}
	w.begun, w.data = true, nil
	return nil
}

// rest is what was not handed over.
func (w *response) rest() piece {
	p := piece{data: w.data}
	if !w.begun && w.status != 0 {
		p.status, p.header = w.status, w.header.Clone()
	}
	return p
}
