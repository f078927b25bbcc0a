// Kv is a server for Redis clients, all of whose state belongs to one loop: strings,
// lists, hashes and sets, keys that expire, blocking pops, transactions and
// publish/subscribe, without a lock. Without arguments it shows itself; with
// -listen 127.0.0.1:6379 it serves redis-cli, until a signal ends it.
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
	listen = flag.String("listen", "", "serve on this address, 127.0.0.1:6379 for instance")
	unix   = flag.String("unix", "", "serve on this socket file")
	limit  limits
)

func main() {
	flag.IntVar(&limit.bulk, "max-bulk", defaultLimits.bulk, "`bytes` of an argument, or of a string value")
	flag.IntVar(&limit.request, "max-request", defaultLimits.request, "`bytes` of a request, of a transaction, or of their replies")
	flag.IntVar(&limit.unsent, "max-unsent", defaultLimits.unsent, "`bytes` that a subscriber may leave unread")
	flag.Parse()
	if *listen == "" && *unix == "" {
		asyncio.Main(demonstrate)
		return
	}
	asyncio.Main(serve)
}

func serve(ctx context.Context) error {
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
	err := newEngine(clockOf(ctx), limit).serve(ctx, listeners...)
	if _, ok := errors.AsType[*asyncio.SignalError](context.Cause(ctx)); ok {
		return nil // that is how a server ends
	}
	return err
}
