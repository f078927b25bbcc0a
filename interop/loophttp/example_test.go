package loophttp_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/loophttp"
)

// A counter is what all requests share. It belongs to the loop, and has no lock.
type counter struct{ visits map[string]int }

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.visits[r.URL.Path]++
	n := c.visits[r.URL.Path]
	if err := asyncio.Sleep(r.Context(), time.Millisecond); err != nil { // or any other await
		return // the client has left, or the loop shuts down
	}
	fmt.Fprintf(w, "visit %d\n", n)
}

func serve(ctx context.Context, listener net.Listener) error {
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", loophttp.Handler(loop, &counter{visits: map[string]int{}}))
	mux.Handle("/static/", http.FileServer(http.Dir("static"))) // on goroutines, as ever
	return loophttp.Serve(ctx, &http.Server{Handler: mux}, listener, 10*time.Second)
}

func Example() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background()) // or asyncio.Main, which a signal cancels
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := asyncio.Run(ctx, asyncio.Void(func(ctx context.Context) error { return serve(ctx, listener) }))
		ended <- err
	}()
	for range 2 {
		r, err := http.Get("http://" + listener.Addr().String() + "/here")
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		fmt.Print(string(body))
	}
	cancel()
	fmt.Println(<-ended)
	// Output:
	// visit 1
	// visit 2
	// <nil>
}
