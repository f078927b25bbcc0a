package replica

import (
	"context"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// handleReady does what raft wants done, in the order that makes it safe. Between Ready
// and Advance, while the disk is slow, other tasks go on giving raft messages.
func (n *node) handleReady(ctx context.Context) error {
	for {
		for n.raft.HasReady() {
			rd := n.raft.Ready()
			if err := n.handle(ctx, rd); err != nil {
				return err
			}
			n.raft.Advance(rd)
			if err := n.compact(ctx); err != nil {
				return err
			}
		}
		n.work.Clear()
		if err := n.work.Wait(ctx); err != nil {
			return err
		}
	}
}

func (n *node) handle(ctx context.Context, rd raft.Ready) error {
	if rd.SoftState != nil && rd.RaftState == raft.StateLeader && n.Leads != nil {
		n.Leads(n.raft.BasicStatus().GetTerm())
	}
	if n.fault == sendsFirst {
		n.send(rd.Messages)
	}
	if n.fault == acksUncommitted {
		n.applyFirst(rd.Entries)
	}
	// Nobody hears of what a crash may take back.
	if err := n.journal.save(ctx, rd); err != nil {
		return err
	}
	if n.fault != sendsFirst {
		n.send(rd.Messages)
	}
	n.place(rd.Entries)
	if !raft.IsEmptySnap(rd.Snapshot) {
		if err := n.restore(rd.Snapshot); err != nil {
			return err
		}
	}
	for _, e := range rd.CommittedEntries {
		n.apply(e)
	}
	for _, r := range rd.ReadStates {
		n.readable(r)
	}
	n.pulse()
	return nil
}

// restore takes over the state of another node, which has dropped the entries to it.
func (n *node) restore(s *pb.Snapshot) error {
	m, err := loadMachine(s.GetData())
	if err != nil {
		return err
	}
	n.machine, n.applied = m, s.GetMetadata().GetIndex()
	n.compacted = n.applied
	return nil
}

// apply does what the nodes have agreed on, and answers who asked for it.
func (n *node) apply(e *pb.Entry) {
	n.applied = e.GetIndex()
	if len(e.GetData()) == 0 {
		return // the first of a new leader
	}
	t, c, err := parseProposal(string(e.GetData()))
	if err != nil {
		panic(err) // it was one when it was proposed
	}
	r := n.machine.apply(c, n.fault)
	if n.fault == repliesByIndex {
		t = n.placed[e.GetIndex()]
		delete(n.placed, e.GetIndex())
	}
	if f := n.proposed[t]; f != nil && !f.Done() {
		f.SetResult(r)
	}
}

// compact makes a snapshot of the machine once there are enough entries behind the last.
func (n *node) compact(ctx context.Context) error {
	if n.applied < n.compacted+n.SnapshotEvery {
		return nil
	}
	data, err := n.machine.save(n.fault)
	if err != nil {
		return err
	}
	n.compacted = n.applied
	return n.journal.compact(ctx, n.applied, n.SnapshotEvery/2, data)
}
