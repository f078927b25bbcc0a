package replica_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
	"github.com/asyncio-go/asyncio/sim"
)

const (
	nodes   = 3
	clients = 3
	calls   = 8 // of each client
	port    = ":7000"
)

// A cluster is three nodes on three hosts of a world, and what their clients have seen.
type cluster struct {
	w       *sim.World
	bug     string
	hosts   []*sim.Host
	leaders map[uint64]uint64 // by term
	leader  int               // the host of the last
	history history
}

// scenario is clients that use a cluster while it suffers. It fails unless what they
// have seen is linearizable, and the cluster works again afterwards.
func scenario(bug string) sim.Func {
	return func(ctx context.Context, w *sim.World) error {
		c := &cluster{w: w, bug: bug, leaders: map[uint64]uint64{}}
		w.Net().SetBuffers([]int{4096, 256, 64}[w.Draw(3)])
		defer func() { virtual.Add(int64(w.Now())) }()
		ctx, cancel := asyncio.WithCancel(ctx)
		defer cancel()
		for i := range nodes {
			c.hosts = append(c.hosts, w.Host(ctx, fmt.Sprint("n", i+1), func(ctx context.Context) error { return c.node(ctx, i) }))
		}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			pest := g.Go(c.torment)
			var all []asyncio.Waiter
			for i := range clients {
				all = append(all, g.Go(func(ctx context.Context) error { return c.use(ctx, i) }))
			}
			_, _, err := asyncio.Wait(ctx, asyncio.FirstError, all...)
			pest.Cancel(nil)
			return err
		})
		if err != nil {
			return err
		}
		if err := c.recover(ctx); err != nil {
			return err
		}
		if !c.history.linearizable() {
			for _, op := range c.history.operations {
				w.Logf("client %d: %v: %v [%d, %d]", op.ClientId, op.Input, op.Output, op.Call, op.Return)
			}
			return errors.New("the history is not linearizable")
		}
		return nil
	}
}

// node runs a node on its host, again if its disk fails, as whatever supervises a program
// would.
func (c *cluster) node(ctx context.Context, i int) error {
	for {
		err := replica.Run(ctx, c.config(ctx, i).Planted(c.bug))
		if !errors.Is(err, syscall.EIO) {
			return err
		}
		if err := asyncio.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (c *cluster) config(ctx context.Context, i int) replica.Config {
	config := replica.Config{
		ID:            uint64(i + 1),
		File:          &simFile{disk: c.hosts[i].Disk()},
		Tick:          50 * time.Millisecond,
		SnapshotEvery: 6,
		FrameSize:     64,
		Random:        func(n int) int { return (c.w.Draw(n) + i) % n }, // the first seed draws 0 for all
		Leads:         func(term uint64) { c.leads(ctx, i, term) },
	}
	for j := range nodes {
		config.Peers = append(config.Peers, replica.Peer{ID: uint64(j + 1), Addr: fmt.Sprint("n", j+1, port)})
	}
	return config
}

// leads checks that a term has one leader.
func (c *cluster) leads(ctx context.Context, i int, term uint64) {
	c.w.Logf("%v leads in term %d", c.hosts[i], term)
	id := uint64(i + 1)
	if was, ok := c.leaders[term]; ok {
		sim.Always(ctx, was == id, "a term has one leader")
	}
	c.leaders[term], c.leader = id, i
}

// use is a client: it calls, is at times impatient, and notes what it sees.
func (c *cluster) use(ctx context.Context, i int) error {
	k := &replica.Client{Session: uint64(i + 1), Patience: 400 * time.Millisecond}
	for j := range nodes {
		k.Addrs = append(k.Addrs, fmt.Sprint("n", (i+j)%nodes+1, port))
	}
	if i == clients-1 {
		k.Session = 0 // there are such, too
	}
	k.Plant(c.bug)
	defer k.Close()
	for n := range calls {
		if err := asyncio.Sleep(ctx, time.Duration(c.w.Draw(20))*10*time.Millisecond); err != nil {
			return err
		}
		if err := c.call(ctx, k, i, c.command(fmt.Sprintf("%d.%d;", i, n))); err != nil {
			return err
		}
	}
	return nil
}

// command is one to call, with a text that comes once.
func (c *cluster) command(text string) replica.Command {
	key := string(rune('a' + c.w.Draw(2)))
	switch c.w.Draw(6) {
	case 0, 1:
		return replica.Command{Verb: "append", Args: []string{key, text}}
	case 2:
		return replica.Command{Verb: "put", Args: []string{key, text}}
	case 3:
		return replica.Command{Verb: "cas", Args: []string{key, c.seen(key), text}}
	}
	return replica.Command{Verb: "get", Args: []string{key}}
}

// seen is what somebody has last read of a key.
func (c *cluster) seen(key string) (text string) {
	for _, op := range c.history.operations {
		command, r := op.Input.(replica.Command), op.Output
		if r, ok := r.(replica.Reply); ok && command.Verb == "get" && command.Args[0] == key {
			text = r.Value
		}
	}
	return text
}

func (c *cluster) call(ctx context.Context, k *replica.Client, client int, command replica.Command) error {
	patience := 3 * time.Second
	if c.w.Chance(15) {
		patience = time.Duration(1+c.w.Draw(40)) * 10 * time.Millisecond
	}
	scope, cancel := asyncio.WithTimeout(ctx, patience)
	defer cancel()
	called := c.history.tick()
	r, err := k.Do(scope, command.Verb, command.Args...)
	c.w.Logf("client %d: %s %q: %v, %v", client, command.Verb, command.Args, r, err)
	switch {
	case err == nil && (r.Status == replica.Invalid || r.Status == replica.Stale):
		return fmt.Errorf("a reply that no request of this client has: %v", r)
	case errors.Is(err, replica.ErrCancelled), err != nil && command.Verb == "get":
	default:
		c.history.add(client, called, command, r, err)
	}
	return ctx.Err()
}
