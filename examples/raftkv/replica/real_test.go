package replica_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
)

// A real cluster has its nodes on one loop, over sockets of the system and files.
type real struct {
	t     *testing.T
	dir   string
	peers []replica.Peer
	nodes []*asyncio.Task[struct{}]
}

func startReal(ctx context.Context, t *testing.T) *real {
	c := &real{t: t, dir: t.TempDir()}
	for id := range uint64(3) {
		c.peers = append(c.peers, replica.Peer{ID: id + 1, Addr: freeAddr(t)})
	}
	for i := range c.peers {
		c.nodes = append(c.nodes, c.run(ctx, i))
	}
	return c
}

func freeAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (c *real) run(ctx context.Context, i int) *asyncio.Task[struct{}] {
	file := &replica.DiskFile{Path: filepath.Join(c.dir, fmt.Sprint(c.peers[i].ID))}
	return asyncio.Go(ctx, func(ctx context.Context) error {
		defer file.Close()
		return replica.Run(ctx, replica.Config{
			ID: c.peers[i].ID, Peers: c.peers, File: file, Tick: 20 * time.Millisecond, SnapshotEvery: 10, FrameSize: 100,
		})
	})
}

func (c *real) client(session uint64) *replica.Client {
	var addrs []string
	for _, p := range c.peers {
		addrs = append(addrs, p.Addr)
	}
	return &replica.Client{Addrs: addrs, Session: session}
}

// stop ends a node and waits for its end.
func (c *real) stop(ctx context.Context, i int) {
	c.nodes[i].Cancel(nil)
	if _, err := c.nodes[i].Await(ctx); !errors.Is(err, context.Canceled) {
		c.t.Errorf("node %d: %v, want a cancellation", i+1, err)
	}
}

func TestRun_OnSockets(t *testing.T) {
	_, err := asyncio.Run(t.Context(), asyncio.Void(func(ctx context.Context) error {
		c := startReal(ctx, t)
		k := c.client(1)
		defer k.Close()
		want := ""
		for i := range 60 { // past several snapshots, and with every node down for some of them
			switch down := i / 20; i % 20 {
			case 5:
				c.stop(ctx, down)
			case 17:
				c.nodes[down] = c.run(ctx, down)
			}
			want += fmt.Sprint(i, ";")
			if r, err := k.Do(ctx, "append", "k", fmt.Sprint(i, ";")); err != nil || r.Status != replica.Done {
				return fmt.Errorf("append %d: %v, %w", i, r, err)
			}
		}
		r, err := k.Do(ctx, "get", "k")
		if err != nil || r.Value != want {
			t.Errorf("get: %v, %v, want %s", r, err, want)
		}
		for i := range c.nodes {
			c.stop(ctx, i)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
}
