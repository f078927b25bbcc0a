// Ours is an echo server with aionet: a task a connection, on one loop or on
// several that share a port.
package main

import (
	"context"
	"flag"
	"net"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"

	"github.com/asyncio-go/asyncio/benchmarks/net/internal/serving"
)

var (
	loops = flag.Int("loops", 1, "loops, each with a listener of its own")
	reads = flag.Bool("reads", false, "use Read and Write, not Peek and Enqueue")
)

func main() {
	flag.Parse()
	ends, first := make(chan error), make(chan net.Addr)
	go run("127.0.0.1:0", first, ends)
	addr := <-first
	for range *loops - 1 {
		other := make(chan net.Addr)
		go run(addr.String(), other, ends)
		<-other
	}
	serving.Announce(addr)
	serving.Fail(<-ends)
}

// run serves address with a loop of its own. It says where it listens, and sends
// its end.
func run(address string, listens chan<- net.Addr, ends chan<- error) {
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (struct{}, error) {
		lc := aionet.ListenConfig{ReusePort: *loops > 1}
		l, err := lc.Listen(ctx, "tcp", address)
		if err != nil {
			return struct{}{}, err
		}
		listens <- l.Addr()
		handler := echo
		if *reads {
			handler = echoReads
		}
		return struct{}{}, aionet.Serve(ctx, l, handler)
	})
	if err != nil {
		serving.Fail(err)
	}
	ends <- err
}

// echo holds no buffer while it waits. It answers what came together with one
// write.
func echo(_ context.Context, c *aionet.Conn) error {
	for {
		data, err := c.Peek(1)
		if err != nil {
			return nil // the other side is gone
		}
		c.Enqueue(data)
		c.Discard(len(data))
		if err := c.Drain(); err != nil {
			return nil
		}
	}
}

// echoReads is as one would write it for a net.Conn.
func echoReads(_ context.Context, c *aionet.Conn) error {
	buf := make([]byte, *serving.Buffer)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return nil
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return nil
		}
	}
}
