package loophttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/loophttp"
)

func TestMain(m *testing.M) { check.Run(m) }

// A site is a server whose handler runs on a loop.
type site struct {
	*httptest.Server
	loop  *asyncio.Loop
	log   *asynciotest.Log
	close func() // of the loop
}

func newSite(t *testing.T, h http.HandlerFunc) *site {
	t.Helper()
	s := &site{}
	s.loop, s.log, s.close = check.Loop(t)
	s.Server = httptest.NewServer(loophttp.Handler(s.loop, h))
	t.Cleanup(s.Server.Close)
	return s
}

// get is the status and the body that the site answers with.
func (s *site) get(t *testing.T, path string) (int, string) {
	t.Helper()
	r, err := s.Client().Get(s.URL + path)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return r.StatusCode, string(body)
}

func (s *site) wantQuiet(t *testing.T) {
	t.Helper()
	if text := s.log.Text(); text != "" {
		t.Errorf("logged: %s", text)
	}
}

// A flag is told from anywhere and waited for on the loop.
type flag chan struct{}

func (f flag) wait(ctx context.Context) error {
	_, _, err := asyncio.Recv(ctx, f)
	return err
}

// endless never reads to its end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func wantBroken(t *testing.T, r *http.Response, err error, begins string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(string(body), begins) {
		t.Errorf("the body is %q, %v; want it broken off after %q", body, err, begins)
	}
}
