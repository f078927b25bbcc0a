// Raftkv is a node of a replicated key-value store, or a client of one:
//
//	raftkv -id 1 -peers 127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003
//	raftkv -ask 127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003 put colour green
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
)

var (
	id    = flag.Uint64("id", 0, "serve as this one of the `peers`, counted from 1")
	peers = flag.String("peers", "", "the `addresses` of all nodes, in the same order for each of them")
	path  = flag.String("file", "", "keep the log in this `file`; raftkv-ID unless set")
	ask   = flag.String("ask", "", "be a client of the nodes at these `addresses`")
	debug = flag.Bool("debug", false, "say what raft does")
)

func main() {
	flag.Parse()
	switch {
	case *ask != "":
		asyncio.Main(request)
	case *id != 0:
		asyncio.Main(serve)
	default:
		flag.Usage()
		os.Exit(2)
	}
}

func serve(ctx context.Context) error {
	level := slog.LevelInfo
	if *debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if *path == "" {
		*path = fmt.Sprintf("raftkv-%d", *id)
	}
	c := replica.Config{ID: *id, File: &replica.DiskFile{Path: *path}, Log: log}
	for i, addr := range strings.Split(*peers, ",") {
		c.Peers = append(c.Peers, replica.Peer{ID: uint64(i) + 1, Addr: addr})
	}
	c.Leads = func(term uint64) { log.Info("this node leads", "node", *id, "term", term) }
	err := replica.Run(ctx, c)
	if _, ok := errors.AsType[*asyncio.SignalError](context.Cause(ctx)); ok {
		return nil // that is how a server ends
	}
	return err
}

// request asks once, for ten seconds.
func request(ctx context.Context) error {
	if flag.NArg() == 0 {
		return errors.New("say what to ask for: get key, put key value, append key value, cas key old new")
	}
	k := &replica.Client{Addrs: strings.Split(*ask, ","), Session: rand.Uint64()}
	defer k.Close()
	r, err := asyncio.WaitFor(ctx, 10*time.Second, func(ctx context.Context) (replica.Reply, error) {
		return k.Do(ctx, flag.Arg(0), flag.Args()[1:]...)
	})
	if err != nil {
		return err
	}
	fmt.Println(r.Status, r.Value)
	return nil
}
