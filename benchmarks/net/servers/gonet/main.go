// Gonet is an echo server with Go's net and a goroutine a connection.
package main

import (
	"flag"
	"net"

	"github.com/asyncio-go/asyncio/benchmarks/net/internal/serving"
)

func main() {
	flag.Parse()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		serving.Fail(err)
	}
	serving.Announce(l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			serving.Fail(err)
		}
		go echo(c)
	}
}

func echo(c net.Conn) {
	defer c.Close()
	buf := make([]byte, *serving.Buffer)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}
