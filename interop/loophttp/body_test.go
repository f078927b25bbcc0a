package loophttp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/loophttp"
)

// What reads an io.Reader reads a body, and awaits.
func TestBody_IsReadInTheTask(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		var v struct{ Name string }
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, "hello %s", v.Name)
	})
	r, err := s.Client().Post(s.URL, "application/json", strings.NewReader(`{"Name": "Ada"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); string(body) != "hello Ada" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

// A body that was read does not cost the connection.
func TestBody_KeepsTheConnection(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&struct{}{}); err != nil { // which does not look for the end
			t.Error(err)
		}
	})
	fresh := 0
	trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		if !c.Reused {
			fresh++
		}
	}}
	for range 1000 {
		request, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", s.URL, strings.NewReader(`{"a": 1}`))
		r, err := s.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if r.StatusCode != 200 {
			t.Fatal(r.Status)
		}
	}
	if fresh != 1 {
		t.Errorf("%d connections were needed, want 1", fresh)
	}
}

const huge = 16 << 20

// The answer begins before the body has ended, over both protocols.
func TestBody_HugeIsEchoed(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2=%t", http2), func(t *testing.T) {
			loop, log, _ := check.Loop(t)
			s := httptest.NewUnstartedServer(loophttp.Handler(loop, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n, err := io.Copy(w, r.Body); n != huge || err != nil {
					t.Errorf("copied %d, %v", n, err)
				}
			})))
			s.EnableHTTP2 = http2
			s.StartTLS()
			defer s.Close()
			sent, got := sha256.New(), sha256.New()
			body := io.TeeReader(io.LimitReader(counting{new(byte)}, huge), sent)
			r, err := s.Client().Post(s.URL, "", body)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			n, err := io.Copy(got, r.Body)
			if n != huge || err != nil || !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
				t.Errorf("%d bytes came back, %v, or others", n, err)
			}
			if (r.ProtoMajor == 2) != http2 || log.Text() != "" {
				t.Error(r.Proto, log.Text())
			}
		})
	}
}

// counting reads bytes that differ from one buffer to the next.
type counting struct{ n *byte }

func (c counting) Read(p []byte) (int, error) {
	*c.n++
	for i := range p {
		p[i] = *c.n + byte(i)
	}
	return len(p), nil
}

func TestBody_NeedNotBeRead(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/some" {
			if _, err := io.ReadFull(r.Body, make([]byte, 100_000)); err != nil {
				t.Error(err)
			}
			if r.Body.Close(); r.Body.Close() != nil {
				t.Error("Close failed")
			}
			if _, err := r.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
				t.Errorf("Read after Close: %v", err)
			}
		}
		io.WriteString(w, "no, thanks")
	})
	for _, path := range []string{"/none", "/some"} {
		for _, size := range []int64{1000_000, 0} { // 0 here means unknown: chunked
			request, _ := http.NewRequest("POST", s.URL+path, io.LimitReader(endless{}, 1000_000))
			request.ContentLength = size
			r, err := s.Client().Do(request)
			if err != nil {
				t.Fatal(path, size, err)
			}
			body, _ := io.ReadAll(r.Body)
			r.Body.Close()
			if r.StatusCode != 200 || string(body) != "no, thanks" {
				t.Errorf("%s: %v %q", path, r.Status, body)
			}
		}
	}
	s.wantQuiet(t)
}

// A read that the handler gives up does not hold up its answer.
func TestBody_ThatDoesNotComeCanBeGivenUp(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		err := asyncio.Timeout(r.Context(), time.Millisecond, func(context.Context) error {
			_, err := io.ReadAll(r.Body)
			return err
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("ReadAll: %v", err)
		}
		http.Error(w, "too slow", http.StatusRequestTimeout)
	})
	never, hold := io.Pipe()
	defer hold.Close()
	r, err := s.Client().Post(s.URL, "", never)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); r.StatusCode != 408 || string(body) != "too slow\n" || err != nil || !r.Close {
		t.Errorf("%v %q, %v, closes: %t", r.Status, body, err, r.Close)
	}
	s.wantQuiet(t)
}

// A client that goes away in the middle of a body fails the read.
func TestBody_ThatBreaksOff(t *testing.T) {
	failed := make(chan error, 1)
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	})
	half, hold := io.Pipe()
	go func() {
		hold.Write([]byte("half of"))
		hold.CloseWithError(errors.New("the disk is gone"))
	}()
	if r, err := s.Client().Post(s.URL, "", half); err == nil {
		t.Error("the client got an answer", r.Status)
	}
	if err := <-failed; err == nil {
		t.Error("half a body was taken for a whole one")
	}
}

// The files of a big form are removed.
func TestBody_FormFilesAreRemoved(t *testing.T) {
	name := ""
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(0); err != nil {
			t.Error(err)
			return
		}
		f, err := r.MultipartForm.File["f"][0].Open()
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if on, ok := f.(*os.File); ok {
			name = on.Name()
		}
	})
	form := "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" +
		strings.Repeat("x", 11<<20) + "\r\n--b--\r\n"
	r, err := s.Client().Post(s.URL, "multipart/form-data; boundary=b", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	s.close()
	if _, err := os.Stat(name); name == "" || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file %q: %v", name, err)
	}
}
