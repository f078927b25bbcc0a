package replica

import (
	"context"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// stuckTicks is how long a message may take; TCP itself gives up after a quarter of an hour.
const stuckTicks = 10 * electionTicks

// maxQueued is how many messages wait for a peer; raft sends again what is dropped.
const maxQueued = 256

// A link takes messages to one peer, over a connection of its own that goes this way
// only. Raft counts on no message; on a connection it has them in order and whole.
type link struct {
	Peer
	queue *asyncio.Queue[*pb.Message]
	left  [][]byte // of reordersFrames: what the last connection did not take
}

func newLink(p Peer) *link { return &link{Peer: p, queue: asyncio.NewQueue[*pb.Message](maxQueued)} }

// send hands messages to the links, and never waits.
func (n *node) send(messages []*pb.Message) {
	for _, m := range messages {
		for _, l := range n.links {
			if l.ID == m.GetTo() && l.queue.TryPut(m) != nil {
				n.lost(m)
			}
		}
	}
}

// lost tells raft of a message that did not get through, or it would wait for an answer.
func (n *node) lost(m *pb.Message) {
	n.raft.ReportUnreachable(m.GetTo())
	if m.GetType() == pb.MsgSnap {
		n.raft.ReportSnapshot(m.GetTo(), raft.SnapshotFailure)
	}
	n.work.Set()
}

// keepLink connects, again whenever the connection ends, and sends what is queued.
func (n *node) keepLink(ctx context.Context, l *link) error {
	for {
		_ = n.sendQueued(ctx, l) // the peer is down, or its network is
		if err := asyncio.Sleep(ctx, n.Tick); err != nil {
			return err
		}
		for l.queue.Len() > 0 {
			m, _ := l.queue.TryGet() // it is old by now
			n.lost(m)
		}
	}
}

func (n *node) sendQueued(ctx context.Context, l *link) error {
	conn, err := asyncio.WaitFor(ctx, electionTicks*n.Tick, func(ctx context.Context) (*aionet.Conn, error) {
		return aionet.Dial(ctx, "tcp", l.Addr)
	})
	if err != nil {
		return err
	}
	defer conn.Abort()
	if _, err := fmt.Fprintf(conn, "%s %d\n", peerWord, n.ID); err != nil {
		return err
	}
	for m, err := range l.queue.All(ctx) {
		if err != nil {
			return err
		}
		err := asyncio.Timeout(ctx, stuckTicks*n.Tick, func(context.Context) error { return n.sendMessage(conn, l, m) })
		if err != nil {
			n.lost(m)
			return err
		}
	}
	return nil
}

// sendMessage sends a message in frames. Between two of them others have their turn; a
// snapshot is large.
func (n *node) sendMessage(conn *aionet.Conn, l *link, m *pb.Message) error {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return err
	}
	frames := append(cut(body, n.FrameSize), l.left...)
	for i, frame := range frames {
		if l.left = nil; n.fault == reordersFrames {
			l.left = frames[i:]
		}
		if _, err := conn.Write(frame); err != nil {
			return err
		}
	}
	l.left = nil
	if m.GetType() == pb.MsgSnap {
		n.raft.ReportSnapshot(m.GetTo(), raft.SnapshotFinish)
	}
	return nil
}

// receive gives raft the messages of a peer, until its connection ends.
func (n *node) receive(conn *aionet.Conn) error {
	conn.SetReadLimit(n.FrameSize + frameHead)
	for {
		body, err := readFrames(conn)
		if err != nil {
			return err
		}
		m := &pb.Message{}
		if err := proto.Unmarshal(body, m); err != nil {
			return fmt.Errorf("raftkv: what %v sends is no message: %w", conn.RemoteAddr(), err)
		}
		n.step(m)
	}
}
