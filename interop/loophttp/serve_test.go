package loophttp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/loophttp"
)

// A loop that is closed cancels the requests under way; they and the later ones
// are answered with 503, and what has begun is broken off.
func TestHandler_LoopIsClosedDuringRequests(t *testing.T) {
	const waiting = 20
	arrived := make(chan struct{}, waiting+1)
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			io.WriteString(w, "part")
			w.(http.Flusher).Flush()
		}
		arrived <- struct{}{}
		if err := asyncio.Sleep(r.Context(), time.Hour); !errors.Is(err, asyncio.ErrLoopClosed) {
			t.Errorf("Sleep: %v", err)
		}
		if r.URL.Path == "/polite" {
			http.Error(w, "come again", http.StatusGone)
		}
	})
	got := make(chan int, waiting)
	for range waiting - 1 {
		go func() { status, _ := s.get(t, "/"); got <- status }()
	}
	go func() { status, _ := s.get(t, "/polite"); got <- status }()
	stream, err := s.Client().Get(s.URL + "/stream")
	for range waiting + 1 {
		<-arrived
	}
	s.close()
	times := map[int]int{}
	for range waiting {
		times[<-got]++
	}
	if times[503] != waiting-1 || times[410] != 1 {
		t.Errorf("the requests got %v", times)
	}
	wantBroken(t, stream, err, "part")
	if status, body := s.get(t, "/later"); status != 503 || body != "Service Unavailable\n" {
		t.Errorf("a later one got %d %q", status, body)
	}
	s.wantQuiet(t)
}

// A shop is a program whose main serves until it is cancelled.
type shop struct {
	url    string
	arrive chan struct{}
	cancel context.CancelFunc
	ended  chan error
	client http.Client
}

func openShop(t *testing.T, grace time.Duration, h http.HandlerFunc) *shop {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &shop{url: "http://" + l.Addr().String(), arrive: make(chan struct{}), cancel: cancel, ended: make(chan error, 1)}
	s.client.Transport = &http.Transport{DisableKeepAlives: true}
	go func() {
		_, err := asyncio.Run(ctx, asyncio.Void(func(ctx context.Context) error {
			loop, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			return loophttp.Serve(ctx, &http.Server{Handler: loophttp.Handler(loop, h)}, l, grace)
		}))
		s.ended <- err
	}()
	return s
}

// refused returns once no connection is accepted any more.
func (s *shop) refused(t *testing.T) {
	t.Helper()
	for {
		r, err := s.client.Get(s.url + "/probe")
		if err != nil {
			return
		}
		r.Body.Close()
	}
}

func TestServe_LetsRequestsEnd(t *testing.T) {
	var s *shop
	proceed := make(flag)
	s = openShop(t, time.Hour, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			s.arrive <- struct{}{}
			if err := proceed.wait(r.Context()); err != nil {
				t.Error(err)
			}
			io.WriteString(w, "bye")
		}
	})
	answer := make(chan string)
	go func() {
		r, err := s.client.Get(s.url)
		if err != nil {
			t.Error(err)
			close(answer)
			return
		}
		defer r.Body.Close()
		body, _ := io.ReadAll(r.Body)
		answer <- string(body)
	}()
	<-s.arrive
	s.cancel()
	s.refused(t)
	close(proceed)
	if got := <-answer; got != "bye" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestServe_BreaksOffAfterTheGrace(t *testing.T) {
	var s *shop
	cancelled := make(chan error, 1)
	s = openShop(t, time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		s.arrive <- struct{}{}
		cancelled <- asyncio.Sleep(r.Context(), time.Hour)
	})
	go func() { <-s.arrive; s.cancel() }()
	if r, err := s.client.Get(s.url); err == nil {
		t.Errorf("the request got %v", r.Status)
	}
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("the task: %v", err)
	}
	if err := <-s.ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Serve: %v", err)
	}
}

func TestServe_ReturnsTheErrorOfTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = asyncio.Run(t.Context(), asyncio.Void(func(ctx context.Context) error {
		return loophttp.Serve(ctx, &http.Server{}, l, time.Hour)
	}))
	if !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), "accept") {
		t.Errorf("Serve: %v", err)
	}
}
