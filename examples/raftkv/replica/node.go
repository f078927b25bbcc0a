package replica

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"go.etcd.io/raft/v3"
)

// A Peer is a node of the cluster, at the address for its peers and its clients alike.
type Peer struct {
	ID   uint64 // not 0
	Addr string
}

// A Config is a node's. ID, Peers and File must be set.
type Config struct {
	ID    uint64
	Peers []Peer // all nodes, this one among them; every node is given the same
	File  File

	Tick          time.Duration     // between heartbeats; zero means 100 ms
	Random        func(n int) int   // from 0 to n-1, for the timeouts of elections; nil means math/rand
	SnapshotEvery uint64            // so many entries; zero means 10,000
	FrameSize     int               // of messages to peers, in bytes; zero means 64 KiB
	Log           *slog.Logger      // what raft has to say; nil means nothing
	Leads         func(term uint64) // told when this node becomes leader, if set

	fault fault
}

func (c Config) filled() Config {
	c.Tick = cmp.Or(c.Tick, 100*time.Millisecond)
	c.SnapshotEvery = cmp.Or(c.SnapshotEvery, 10_000)
	c.FrameSize = cmp.Or(c.FrameSize, 64<<10)
	if c.Random == nil {
		c.Random = rand.IntN
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// A node is one run of a member of the cluster, from its start to its crash. Everything
// in it belongs to one loop, and changes only between two awaits.
type node struct {
	Config
	raft    *raft.RawNode
	journal *journal
	links   []*link // to the other nodes, by id

	machine   *machine
	applied   uint64 // the index of the last entry in machine
	compacted uint64 // that of the last snapshot

	elapsed  int // ticks since a leader was heard of
	patience int // ticks until an election

	proposed map[tag]*asyncio.Future[Reply] // what waits for its entry to be applied
	placed   map[uint64]tag                 // of repliesByIndex: the entries of proposed, by index
	reading  map[tag]*asyncio.Future[uint64]
	tags     uint64

	work    asyncio.Event // raft has something ready
	changed asyncio.Event // pulses when something was applied or the leader has changed
}

// Run runs a node until ctx is cancelled or its disk fails. It awaits.
func Run(ctx context.Context, c Config) error {
	n, err := start(ctx, c.filled())
	if err != nil {
		return err
	}
	l, err := aionet.Listen(ctx, "tcp", n.addr(n.ID))
	if err != nil {
		return err
	}
	defer l.Close()
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.Go(n.keepTime)
		g.Go(n.handleReady)
		for _, l := range n.links {
			g.Go(func(ctx context.Context) error { return n.keepLink(ctx, l) })
		}
		g.Go(func(ctx context.Context) error { return aionet.Serve(ctx, l, n.converse) })
		return nil
	})
}

// start is a node as its disk remembers it.
func start(ctx context.Context, c Config) (*node, error) {
	n := &node{
		Config:   c,
		proposed: map[tag]*asyncio.Future[Reply]{},
		placed:   map[uint64]tag{},
		reading:  map[tag]*asyncio.Future[uint64]{},
	}
	var voters []uint64
	for _, p := range c.Peers {
		voters = append(voters, p.ID)
		if p.ID != c.ID {
			n.links = append(n.links, newLink(p))
		}
	}
	if n.addr(c.ID) == "" {
		return nil, fmt.Errorf("raftkv: node %d is not among its peers; add it, with its address", c.ID)
	}
	var err error
	if n.journal, err = openJournal(ctx, c.File, voters, c.fault); err != nil {
		return nil, err
	}
	snapshot, _ := n.journal.Snapshot()
	if n.machine, err = loadMachine(snapshot.GetData()); err != nil {
		return nil, err
	}
	n.applied = snapshot.GetMetadata().GetIndex()
	n.compacted = n.applied
	n.patience = n.drawPatience()
	n.raft, err = raft.NewRawNode(n.raftConfig())
	return n, err
}

func (n *node) raftConfig() *raft.Config {
	c := &raft.Config{
		ID:                        n.ID,
		Storage:                   n.journal,
		Applied:                   n.applied, // or raft would hand out again what is in the snapshot
		ElectionTick:              electionTicks,
		HeartbeatTick:             1,
		PreVote:                   true,
		CheckQuorum:               true,
		DisableProposalForwarding: true, // clients are told where the leader is
		MaxSizePerMsg:             1 << 20,
		MaxInflightMsgs:           64,
		MaxUncommittedEntriesSize: 64 << 20,
		Logger:                    logger{n.Log.With("node", n.ID)},
	}
	if n.fault == appliesTwice {
		c.Applied = 0
	}
	return c
}

func (n *node) addr(id uint64) string {
	for _, p := range n.Peers {
		if p.ID == id {
			return p.Addr
		}
	}
	return ""
}

// until waits for something that only the Ready loop changes. Cancelling ctx ends the
// wait with an error.
func (n *node) until(ctx context.Context, condition func() bool) error {
	for !condition() {
		if err := n.changed.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) pulse() {
	n.changed.Set()
	n.changed.Clear()
}
