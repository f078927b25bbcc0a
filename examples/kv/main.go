// Kv is a server for Redis clients: strings, lists, hashes and sets, keys that
// expire, blocking pops, publish/subscribe and transactions.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

var (
	listen  = flag.String("listen", "", "serve on this address, 127.0.0.1:6379 for instance")
	unix    = flag.String("unix", "", "serve on this socket file")
	maxBulk = flag.Int("max-bulk", defaultLimits.bulk, "bytes of an argument")
)

func main() {
	flag.Parse()
	if *listen == "" && *unix == "" {
		asyncio.Main(demonstrate)
		return
	}
	asyncio.Main(run)
}

func run(ctx context.Context) error {
	var listeners []*aionet.Listener
	for _, at := range [][2]string{{"tcp", *listen}, {"unix", *unix}} {
		if at[1] == "" {
			continue
		}
		l, err := aionet.Listen(ctx, at[0], at[1])
		if err != nil {
			return err
		}
		defer l.Close()
		fmt.Println("serving on", l.Addr())
		listeners = append(listeners, l)
	}
	limits := defaultLimits
	limits.bulk = *maxBulk
	err := newEngine(clockOf(ctx), limits).serve(ctx, listeners...)
	if _, stopped := errors.AsType[*asyncio.SignalError](context.Cause(ctx)); stopped {
		return nil // as it should end
	}
	return err
}

func demonstrate(ctx context.Context) error { return nil }
