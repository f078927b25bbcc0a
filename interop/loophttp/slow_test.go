package loophttp_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/loophttp"
)

// A pipeListener accepts connections without a buffer, which a synctest bubble
// can see waiting.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{make(chan net.Conn), make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }
func (l *pipeListener) Close() error   { close(l.closed); return nil }

func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

// The handler waits for a client that does not read, with bounded memory, while
// the loop goes on; and it learns that the client has left.
func TestHandler_WaitsForASlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop, log, closeLoop := check.Loop(t)
		written, done := 0, make(chan error, 1)
		l := newPipeListener()
		server := &http.Server{Handler: loophttp.Handler(loop, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for {
				n, err := w.Write(make([]byte, 10_000))
				written += n
				if err != nil {
					done <- err
					return
				}
			}
		}))}
		go server.Serve(l)
		client := l.dial()
		io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		const bound = 4*32<<10 + 10_000 // in the package, and in net/http
		before := 0
		for range 10 {
			synctest.Wait()
			if ahead := written - before; ahead > bound {
				t.Errorf("%d bytes were written for a client that read %d", written, before)
			}
			before += 100_000
			if _, err := io.ReadFull(client, make([]byte, 100_000)); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := asyncio.Submit(loop, func(context.Context) (int, error) { return written, nil }).Wait(t.Context()); n < before-1000 || err != nil {
			t.Errorf("%d bytes were read, and %d written, %v", before, n, err)
		}
		client.Close()
		if err := <-done; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "loophttp: the ") {
			t.Errorf("the Write of a client that left: %v", err)
		}
		server.Close()
		closeLoop()
		if log.Text() != "" {
			t.Error(log.Text())
		}
	})
}

// The same the other way round: a handler that does not read holds the client up.
func TestBody_WaitsForASlowHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop, _, closeLoop := check.Loop(t)
		next := make(flag)
		l := newPipeListener()
		server := &http.Server{Handler: loophttp.Handler(loop, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for range 5 {
				if _, err := io.ReadFull(r.Body, make([]byte, 100_000)); err != nil {
					t.Error(err)
				}
				if err := next.wait(r.Context()); err != nil {
					t.Error(err)
				}
			}
		}))}
		go server.Serve(l)
		client := l.dial()
		sent := 0
		go func() {
			io.WriteString(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
			for range 1000 {
				n, err := client.Write(make([]byte, 1000))
				sent += n
				if err != nil {
					return
				}
			}
		}()
		for i := range 5 {
			synctest.Wait()
			if read := (i + 1) * 100_000; sent < read || sent > read+3*32<<10 {
				t.Errorf("%d bytes were sent, and %d read", sent, read)
			}
			next <- struct{}{}
		}
		if r, err := http.ReadResponse(bufio.NewReader(client), nil); err != nil || r.StatusCode != 200 {
			t.Error(r, err)
		}
		client.Close()
		server.Close()
		closeLoop()
		time.Sleep(time.Minute) // of the bubble: the server lingers over what it did not read
	})
}

// The task is cancelled when its client goes away, while it waits for something
// else, whether or not it has begun to answer.
func TestHandler_IsCancelledWhenTheClientGoesAway(t *testing.T) {
	for _, begun := range []bool{false, true} {
		ended, waits := make(chan error, 1), make(chan struct{})
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			if begun {
				io.WriteString(w, "part")
				w.(http.Flusher).Flush()
			}
			close(waits)
			ended <- asyncio.Sleep(r.Context(), time.Hour)
		})
		ctx, cancel := context.WithCancel(t.Context())
		request, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
		go func() { <-waits; cancel() }()
		r, err := s.Client().Do(request)
		if err == nil {
			_, err = io.ReadAll(r.Body)
			r.Body.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the client: %v", err)
		}
		var cancelled *asyncio.CancelledError
		if err := <-ended; !errors.As(err, &cancelled) || !strings.Contains(err.Error(), "the request has ended") {
			t.Errorf("the task: %v", err)
		}
		s.wantQuiet(t)
	}
}
