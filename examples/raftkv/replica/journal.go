package replica

import (
	"context"
	"fmt"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// A journal is what raft must not forget: its hard state, its log, the last snapshot.
// It is in memory, where raft reads it, and in a file, which a start reads and writes
// anew. The file is a head, which is replaced as a whole, and records behind it.
type journal struct {
	*raft.MemoryStorage
	file   File
	starts uint64 // of this node, with the present one
	fault  fault
}

// openJournal reads what there is, without the end that a crash has torn, and notes
// that the node has started once more.
func openJournal(ctx context.Context, file File, voters []uint64, f fault) (*journal, error) {
	data, err := file.Load(ctx)
	if err != nil {
		return nil, err
	}
	j := &journal{MemoryStorage: raft.NewMemoryStorage(), file: file, fault: f}
	r := &recovery{hard: &pb.HardState{}, base: &pb.Entry{}}
	r.snapshot = &pb.Snapshot{Metadata: &pb.SnapshotMetadata{ConfState: &pb.ConfState{Voters: voters}}}
	if err := r.read(data); err != nil {
		return nil, err
	}
	j.starts = r.starts + 1
	if err := r.into(j.MemoryStorage); err != nil {
		return nil, err
	}
	return j, j.rewrite(ctx)
}

// save makes what raft has ready durable, before anybody hears of it.
func (j *journal) save(ctx context.Context, rd raft.Ready) error {
	hard := rd.HardState
	if j.fault == forgetsVote && hard != nil {
		hard = proto.Clone(hard).(*pb.HardState)
		hard.Vote = nil
	}
	if !raft.IsEmptySnap(rd.Snapshot) {
		return j.install(ctx, rd, hard)
	}
	var p []byte
	var err error
	for _, e := range rd.Entries {
		if p, err = appendRecord(p, recordEntry, e); err != nil {
			return err
		}
	}
	if !raft.IsEmptyHardState(hard) {
		if p, err = appendRecord(p, recordHard, hard); err != nil {
			return err
		}
	}
	if p != nil {
		if err := j.file.Append(ctx, p, rd.MustSync && j.fault != acksUnsynced); err != nil {
			return err
		}
	}
	return j.remember(rd.Entries, hard)
}

// remember is for raft, which reads from memory.
func (j *journal) remember(entries []*pb.Entry, hard *pb.HardState) error {
	if !raft.IsEmptyHardState(hard) {
		if err := j.SetHardState(hard); err != nil {
			return err
		}
	}
	return j.MemoryStorage.Append(entries)
}

// install puts a snapshot of another node in the place of all that there is.
func (j *journal) install(ctx context.Context, rd raft.Ready, hard *pb.HardState) error {
	if err := j.ApplySnapshot(rd.Snapshot); err != nil {
		return err
	}
	if err := j.remember(rd.Entries, hard); err != nil {
		return err
	}
	return j.rewrite(ctx)
}

// compact puts a snapshot in the place of the entries up to applied, but for some that
// a node which is a little behind will ask for.
func (j *journal) compact(ctx context.Context, applied, keep uint64, machine []byte) error {
	if _, err := j.CreateSnapshot(applied, nil, machine); err != nil {
		return err
	}
	first, _ := j.FirstIndex()
	if applied > keep && applied-keep >= first {
		if err := j.Compact(applied - keep); err != nil {
			return err
		}
	}
	return j.rewrite(ctx)
}

// rewrite writes the file from what is in memory.
func (j *journal) rewrite(ctx context.Context) error {
	snapshot, _ := j.Snapshot()
	hard, _, _ := j.InitialState()
	first, _ := j.FirstIndex()
	last, _ := j.LastIndex()
	baseTerm, err := j.Term(first - 1)
	if err != nil {
		return err
	}
	var entries []*pb.Entry
	if last >= first {
		if entries, err = j.Entries(first, last+1, 1<<62); err != nil {
			return err
		}
	}
	records := []record{
		{recordStart, &pb.Entry{Index: new(j.starts)}},
		{recordSnapshot, snapshot},
		{recordBase, &pb.Entry{Index: new(first - 1), Term: new(baseTerm)}},
	}
	for _, e := range entries {
		records = append(records, record{recordEntry, e})
	}
	if !raft.IsEmptyHardState(hard) {
		records = append(records, record{recordHard, hard})
	}
	var p []byte
	for _, r := range records {
		if p, err = appendRecord(p, r.kind, r.message); err != nil {
			return err
		}
	}
	return j.file.Replace(ctx, p)
}

// A recovery is what the records of a file come to.
type recovery struct {
	starts   uint64
	snapshot *pb.Snapshot
	base     *pb.Entry
	entries  []*pb.Entry
	hard     *pb.HardState
}

func (r *recovery) read(p []byte) error {
	for {
		kind, body, rest := nextRecord(p)
		if kind == 0 {
			return nil
		}
		if err := r.add(kind, body); err != nil {
			return fmt.Errorf("raftkv: a record of kind %q is no such: %w", kind, err)
		}
		p = rest
	}
}

func (r *recovery) add(kind byte, body []byte) error {
	switch kind {
	case recordSnapshot:
		return proto.Unmarshal(body, r.snapshot)
	case recordHard:
		return proto.Unmarshal(body, r.hard)
	}
	e := &pb.Entry{}
	if err := proto.Unmarshal(body, e); err != nil {
		return err
	}
	switch kind {
	case recordStart:
		r.starts = e.GetIndex()
	case recordBase:
		r.base = e
	case recordEntry: // also in the place of one that was never agreed on, and all behind it
		n := e.GetIndex() - r.base.GetIndex() - 1
		if n > uint64(len(r.entries)) {
			return fmt.Errorf("entry %d follows entry %d", e.GetIndex(), r.base.GetIndex()+uint64(len(r.entries)))
		}
		r.entries = append(r.entries[:n], e)
	}
	return nil
}

// into has raft's memory hold the snapshot, and entries from before it.
func (r *recovery) into(m *raft.MemoryStorage) error {
	meta := r.snapshot.GetMetadata()
	base := &pb.Snapshot{Metadata: &pb.SnapshotMetadata{
		ConfState: meta.GetConfState(), Index: new(r.base.GetIndex()), Term: new(r.base.GetTerm()),
	}}
	if meta.GetIndex() == r.base.GetIndex() {
		base.Data = r.snapshot.GetData()
	}
	if err := m.ApplySnapshot(base); err != nil {
		return err
	}
	if err := m.Append(r.entries); err != nil {
		return err
	}
	if err := m.SetHardState(r.hard); err != nil || meta.GetIndex() == r.base.GetIndex() {
		return err
	}
	_, err := m.CreateSnapshot(meta.GetIndex(), nil, r.snapshot.GetData())
	return err
}
