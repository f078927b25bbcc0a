package webclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/webclient"
)

func TestMain(m *testing.M) { check.Run(m) }

func run(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	if _, err := asyncio.Run(t.Context(), asyncio.Void(main)); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func get(ctx context.Context, c *webclient.Client, url string, f func(ctx context.Context, r *http.Response) error) error {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return err
	}
	return c.Do(ctx, r, f)
}

func TestClient_BoundsRequests(t *testing.T) {
	const limit, pages = 3, 30
	var inside, most atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := inside.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		fmt.Fprint(w, r.URL.Path)
		inside.Add(-1)
	})
	run(t, func(ctx context.Context) error {
		c := webclient.New(s.Client(), limit)
		bytes := 0 // of all tasks, without a lock
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for i := range pages {
				g.Go(func(ctx context.Context) error {
					return get(ctx, c, fmt.Sprintf("%s/%02d", s.URL, i), func(ctx context.Context, r *http.Response) error {
						for part, err := range webclient.Chunks(ctx, r.Body, 2) {
							if err != nil {
								return err
							}
							bytes += len(part)
						}
						return nil
					})
				})
			}
			return nil
		})
		if bytes != pages*len("/00") {
			t.Errorf("%d bytes came", bytes)
		}
		return err
	})
	if got := most.Load(); got > limit {
		t.Errorf("%d requests at a time, want at most %d", got, limit)
	}
}

// Parts come one by one, while the server still writes and the loop goes on.
func TestChunks_ComeOneByOne(t *testing.T) {
	next := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for i := 0; ; i++ {
			fmt.Fprintf(w, "part %d", i)
			w.(http.Flusher).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	})
	run(t, func(ctx context.Context) error {
		c := webclient.New(s.Client(), 1)
		return get(ctx, c, s.URL, func(ctx context.Context, r *http.Response) error {
			want := 0
			for part, err := range webclient.Chunks(ctx, r.Body, 100) {
				if err != nil || string(part) != fmt.Sprintf("part %d", want) {
					t.Errorf("got %q, %v", part, err)
				}
				if want++; want == 3 {
					return nil // leaves the rest, and closes the body
				}
				if err := asyncio.Send(ctx, next, struct{}{}); err != nil {
					return err
				}
			}
			return errors.New("ended early")
		})
	})
}

func TestClient_Cancelled(t *testing.T) {
	arrived, told := make(chan struct{}, 2), make(chan struct{}, 2)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			io.WriteString(w, "begin")
			w.(http.Flusher).Flush()
		}
		arrived <- struct{}{}
		<-r.Context().Done()
		told <- struct{}{}
	})
	run(t, func(ctx context.Context) error {
		c := webclient.New(s.Client(), 1)
		for _, path := range []string{"/headers", "/body"} {
			load := asyncio.Go(ctx, func(ctx context.Context) error {
				return get(ctx, c, s.URL+path, func(ctx context.Context, r *http.Response) error {
					for _, err := range webclient.Chunks(ctx, r.Body, 100) {
						if err != nil {
							return err
						}
					}
					return errors.New("ended")
				})
			})
			if _, _, err := asyncio.Recv(ctx, arrived); err != nil {
				return err
			}
			load.Cancel(nil)
			if _, err := load.Await(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", path, err)
			}
			if _, _, err := asyncio.Recv(ctx, told); err != nil { // the server knows
				return err
			}
		}
		return nil
	})
}
