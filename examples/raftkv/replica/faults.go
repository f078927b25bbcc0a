package replica

import pb "go.etcd.io/raft/v3/raftpb"

// A fault is a bug that a test has planted; the simulation shows that it is found. There
// is no way to one from outside of the tests.
type fault string

const (
	acksUnsynced    fault = "acknowledges what is not synced"
	sendsFirst      fault = "sends before it has persisted"
	forgetsVote     fault = "does not persist its vote"
	readsLocally    fault = "deposed leader answers reads by itself"
	readsTooEarly   fault = "reads before it has applied the index"
	repliesByIndex  fault = "matches a reply by its place in the log"
	trustsOrder     fault = "client takes the next reply for its own"
	losesCancel     fault = "goes on after a cancellation"
	appliesTwice    fault = "does not restore the applied index"
	retriesTwice    fault = "applies a retry again"
	dropsSessions   fault = "snapshot without the session table"
	reordersFrames  fault = "reorders frames on reconnect"
	trustsTheDead   fault = "takes an answer to its last incarnation"
	acksUncommitted fault = "acknowledges what is not committed"
)

// place notes for repliesByIndex where in the log this node's proposals are.
func (n *node) place(entries []*pb.Entry) {
	if n.fault != repliesByIndex {
		return
	}
	for _, e := range entries {
		if t, _, err := parseProposal(string(e.GetData())); err == nil && n.proposed[t] != nil {
			n.placed[e.GetIndex()] = t
		}
	}
}

// applyFirst answers for acksUncommitted what is not agreed on.
func (n *node) applyFirst(entries []*pb.Entry) {
	for _, e := range entries {
		if t, c, err := parseProposal(string(e.GetData())); err == nil && n.proposed[t] != nil && c.Verb == "put" {
			n.proposed[t].SetResult(Reply{Status: Done})
		}
	}
}
