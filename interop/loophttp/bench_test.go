package loophttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/loophttp"
)

// What a request costs on the way to a task and back, without a network: plain is
// the same handler, called directly.
func BenchmarkHandler(b *testing.B) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	loop := asyncio.NewLoop(nil)
	ended := make(chan error)
	go func() { ended <- loop.RunForever() }()
	defer func() {
		loop.Stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		if err := loop.Close(); err != nil {
			b.Error(err)
		}
	}()
	for _, c := range []struct {
		name string
		h    http.Handler
		body string
	}{
		{"hello/plain", hello, ""},
		{"hello/task", loophttp.Handler(loop, hello), ""},
		{"echo 64 KiB/plain", echo, strings.Repeat("x", 64<<10)},
		{"echo 64 KiB/task", loophttp.Handler(loop, echo), strings.Repeat("x", 64<<10)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				c.h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(c.body)))
				if w.Code != 200 || w.Body.Len() < len(c.body) {
					b.Fatal(w.Code, w.Body.Len())
				}
			}
		})
	}
}
