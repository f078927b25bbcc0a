package replica

import (
	"context"

	"github.com/asyncio-go/asyncio"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// electionTicks is how long a node trusts a leader of which it hears nothing.
const electionTicks = 4

// keepTime ticks.
func (n *node) keepTime(ctx context.Context) error {
	for {
		if err := asyncio.Sleep(ctx, n.Tick); err != nil {
			return err
		}
		n.tick()
		n.work.Set()
	}
}

// tick tells raft the time only while it leads. What raft would do with it otherwise,
// it would do after a timeout that it draws from crypto/rand, which no seed repeats. So
// that is done here: forget the leader, which also lets others be voted for, and then
// stand for election.
func (n *node) tick() {
	if n.leads() {
		n.raft.Tick()
		n.elapsed = 0
		return
	}
	switch n.elapsed++; {
	case n.elapsed >= n.patience:
		n.elapsed, n.patience = 0, n.drawPatience()
		_ = n.raft.Campaign() // it fails if a snapshot is on its way; there will be another
	case n.elapsed == electionTicks:
		_ = n.raft.ForgetLeader() // never fails where reads ask a quorum
	}
}

// drawPatience differs from node to node, or all would stand at the same time for ever.
func (n *node) drawPatience() int { return electionTicks + 1 + n.Random(electionTicks) }

// step gives raft a message of a peer.
func (n *node) step(m *pb.Message) {
	_ = n.raft.Step(m) // an error means that it is of no use any more
	s := n.raft.BasicStatus()
	switch m.GetType() {
	case pb.MsgApp, pb.MsgHeartbeat, pb.MsgSnap:
		if s.Lead == m.GetFrom() && s.GetTerm() == m.GetTerm() {
			n.elapsed = 0
		}
	case pb.MsgVote:
		if s.GetVote() == m.GetFrom() && s.GetTerm() == m.GetTerm() {
			n.elapsed = 0
		}
	}
	n.work.Set()
}

func (n *node) leads() bool { return n.raft.BasicStatus().RaftState == raft.StateLeader }

// leader is the id of the node that leads, as far as this one knows, or 0.
func (n *node) leader() uint64 { return n.raft.BasicStatus().Lead }
