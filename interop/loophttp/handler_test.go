package loophttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/loophttp"
)

// Handlers change what they share without a lock; the race detector looks on.
func TestHandler_SharesStateWithoutALock(t *testing.T) {
	const clients = 200
	total, inside, most := 0, 0, 0
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		total++
		inside++
		most = max(most, inside)
		if err := asyncio.Sleep(r.Context(), time.Millisecond); err != nil {
			return
		}
		inside--
		fmt.Fprint(w, r.URL.Path)
	})
	s.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = clients
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			path := fmt.Sprintf("/%d", i)
			if status, body := s.get(t, path); status != 200 || body != path {
				t.Errorf("%s: %d %q", path, status, body)
			}
		})
	}
	all.Wait()
	s.close()
	if total != clients || inside != 0 {
		t.Errorf("%d requests were counted, and %d are inside; want %d and 0", total, inside, clients)
	}
	t.Logf("%d at a time", most)
	s.wantQuiet(t)
}

func TestHandler_AnswersAsNetHTTPDoes(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/nothing":
		case "/missing":
			http.NotFound(w, r)
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
			w.WriteHeader(http.StatusTeapot) // too late
		case "/html":
			w.Header().Set("X-Before", "1")
			io.WriteString(w, "<html>")
			w.Header().Set("X-Before", "2") // is in time: nothing was sent
		}
	})
	for _, c := range []struct {
		path, body, kind string
		status           int
	}{
		{"/nothing", "", "", 200},
		{"/missing", "404 page not found\n", "text/plain; charset=utf-8", 404},
		{"/empty", "", "", 204},
		{"/html", "<html>", "text/html; charset=utf-8", 200},
	} {
		r, err := s.Client().Get(s.URL + c.path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != c.status || string(body) != c.body || r.Header.Get("Content-Type") != c.kind ||
			c.status == 200 && r.ContentLength != int64(len(c.body)) {
			t.Errorf("%s: %v %q", c.path, r, body)
		}
	}
	s.wantQuiet(t)
}

func TestHandler_HeadHasNoBody(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if n, err := w.Write(make([]byte, 1_000_000)); n != 1_000_000 || err != nil {
			t.Error(n, err)
		}
	})
	r, err := s.Client().Head(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 200 {
		t.Error(r.Status)
	}
	s.wantQuiet(t)
}

// What belongs to the task cannot be used off the loop.
func TestHandler_WriteOffTheLoopPanics(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = asyncio.Blocking(r.Context(), func(context.Context) (int, error) { return io.WriteString(w, "x") })
	})
	if status, _ := s.get(t, "/"); status != 500 {
		t.Errorf("status %d", status)
	}
	if !strings.Contains(s.log.Text(), "Loop.Context") {
		t.Errorf("logged: %s", s.log.Text())
	}
}

// A request need not come from a server.
func TestHandler_RequestMadeByHand(t *testing.T) {
	loop, _, _ := check.Loop(t)
	h := loophttp.Handler(loop, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) }))
	w := httptest.NewRecorder()
	r, _ := http.NewRequest("GET", "/path", nil) // with no Body
	h.ServeHTTP(w, r)
	if w.Code != 200 || w.Body.String() != "/path" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestHandler_StreamsWhatIsFlushed(t *testing.T) {
	next := make(flag)
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "part %d\n", i)
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			if err := next.wait(r.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	r, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	for i := range 3 {
		line := make([]byte, len("part 0\n"))
		if _, err := io.ReadFull(r.Body, line); err != nil || string(line) != fmt.Sprintf("part %d\n", i) {
			t.Errorf("got %q, %v", line, err)
		}
		next <- struct{}{}
	}
	if rest, err := io.ReadAll(r.Body); len(rest) > 0 || err != nil {
		t.Errorf("and then %q, %v", rest, err)
	}
}

func TestHandler_SendsHintsAndTrailers(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set("X-Sum", "7")
		w.Header().Set(http.TrailerPrefix+"X-More", "8")
	})
	hint := ""
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hint = fmt.Sprintf("%d %s", code, h.Get("Link"))
		return nil
	}}
	request, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", s.URL, nil)
	r, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); string(body) != "body" || err != nil {
		t.Errorf("the body is %q, %v", body, err)
	}
	if hint != "103 </style.css>" {
		t.Errorf("the hint is %q", hint)
	}
	if r.Trailer.Get("X-Sum") != "7" || r.Trailer.Get("X-More") != "8" {
		t.Errorf("the trailers are %v", r.Trailer)
	}
}

type key struct{}

// The task's ctx is a scope, and has the values of the request's.
func TestHandler_JoinsContexts(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if ctx.Value(http.ServerContextKey).(*http.Server) == nil {
			t.Error("the server is not in the context")
		}
		if asyncio.CurrentTask(ctx) == nil {
			t.Error("the context is not of a task")
		}
		err := asyncio.Timeout(context.WithValue(ctx, key{}, 1), time.Hour, func(ctx context.Context) error {
			child := asyncio.Spawn(ctx, func(ctx context.Context) (bool, error) {
				return ctx.Value(http.LocalAddrContextKey) != nil && ctx.Value(key{}) == 1, nil
			})
			inherited, err := child.Await(ctx)
			if !inherited {
				t.Error("a task that the handler spawns does not have the request's values")
			}
			return err
		})
		standard, cancel := context.WithCancel(ctx)
		defer cancel()
		if err != nil || standard.Err() != nil || context.Cause(ctx) != nil {
			t.Error(err, standard.Err(), context.Cause(ctx))
		}
	})
	if status, _ := s.get(t, "/"); status != 200 {
		t.Errorf("status %d", status)
	}
	s.wantQuiet(t)
}

func TestHandler_PanicEndsItsRequestOnly(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/before":
			io.WriteString(w, "never seen")
			panic("before")
		case "/after":
			io.WriteString(w, "seen")
			w.(http.Flusher).Flush()
			panic("after")
		case "/status":
			w.WriteHeader(7)
		case "/abort":
			panic(http.ErrAbortHandler)
		}
	})
	if status, body := s.get(t, "/before"); status != 500 || body != "Internal Server Error\n" {
		t.Errorf("%d %q", status, body)
	}
	r, err := s.Client().Get(s.URL + "/after")
	wantBroken(t, r, err, "seen")
	if status, _ := s.get(t, "/status"); status != 500 {
		t.Errorf("an impossible status gives %d", status)
	}
	if r, err := s.Client().Get(s.URL + "/abort"); !errors.Is(err, io.EOF) {
		t.Errorf("an aborted request gives %v, %v", r, err)
	}
	if status, _ := s.get(t, "/"); status != 200 {
		t.Errorf("the next request gives %d", status)
	}
	log := s.log.Text()
	if strings.Count(log, "ERROR") != 3 || !strings.Contains(log, "panicked: before") || !strings.Contains(log, "panicked: after") ||
		!strings.Contains(log, "handler_test.go") {
		t.Errorf("want three reports, with stacks:\n%s", log)
	}
}
