// Gnet is an echo server with github.com/panjf2000/gnet: callbacks on one event
// loop.
package main

import (
	"flag"
	"fmt"
	"net"

	"github.com/panjf2000/gnet/v2"
	"go.uber.org/zap"

	"github.com/asyncio-go/asyncio/benchmarks/net/internal/serving"
)

func main() {
	flag.Parse()
	// Gnet does not tell the port that the system chose.
	port, err := freePort()
	if err != nil {
		serving.Fail(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	serving.Fail(gnet.Run(&echo{addr: addr}, "tcp://"+addr,
		gnet.WithNumEventLoop(1), gnet.WithReadBufferCap(*serving.Buffer),
		gnet.WithLogger(zap.NewNop().Sugar())))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

type echo struct {
	gnet.BuiltinEventEngine
	addr string
}

func (e *echo) OnBoot(gnet.Engine) gnet.Action {
	addr, err := net.ResolveTCPAddr("tcp", e.addr)
	if err != nil {
		serving.Fail(err)
	}
	serving.Announce(addr)
	return gnet.None
}

func (*echo) OnTraffic(c gnet.Conn) gnet.Action {
	all, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if _, err := c.Write(all); err != nil {
		return gnet.Close
	}
	return gnet.None
}
