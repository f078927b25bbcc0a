package replica

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio"
	"go.etcd.io/raft/v3"
)

// A tag finds what waits for an answer. It is never used again, not by another node and
// not after a restart: what comes for an earlier start of this node finds nothing.
type tag struct{ node, start, number uint64 }

func (n *node) newTag() tag {
	n.tags++
	if n.fault == trustsTheDead {
		return tag{n.ID, 0, n.tags}
	}
	return tag{n.ID, n.journal.starts, n.tags}
}

func (t tag) String() string { return fmt.Sprintf("%d %d %d", t.node, t.start, t.number) }

// do is a request from its arrival to its reply.
func (n *node) do(ctx context.Context, c Command) Reply {
	if c.Verb == "get" {
		return n.read(ctx, c)
	}
	return n.write(ctx, c)
}

// write proposes a command, if this node leads, and waits until it is applied. If ctx is
// cancelled before that was proposed, it has no effect; later, nobody can say.
func (n *node) write(ctx context.Context, c Command) Reply {
	waiting := ctx
	if n.fault == losesCancel {
		waiting = context.WithoutCancel(ctx)
	}
	if err := n.until(waiting, func() bool { return n.leader() != raft.None }); err != nil {
		return Reply{ID: c.ID, Status: Cancelled}
	}
	if !n.leads() {
		return Reply{ID: c.ID, Status: Leader, Value: n.addr(n.leader())}
	}
	t, f := n.newTag(), asyncio.NewFuture[Reply](ctx)
	n.proposed[t] = f
	defer delete(n.proposed, t)
	if err := n.raft.Propose(fmt.Appendf(nil, "%v %v", t, c)); err != nil {
		return Reply{ID: c.ID, Status: Cancelled} // it has stepped down meanwhile, or has too much to do
	}
	n.work.Set()
	r, err := f.Await(ctx)
	switch {
	case err == nil:
		r.ID = c.ID
		return r
	case n.fault == losesCancel:
		return Reply{ID: c.ID, Status: Cancelled}
	}
	return Reply{ID: c.ID, Status: Unknown}
}

// parseProposal takes an entry apart.
func parseProposal(s string) (t tag, c Command, err error) {
	n := 0
	if n, err = fmt.Sscanf(s, "%d %d %d", &t.node, &t.start, &t.number); n == 3 {
		c, err = ParseCommand(s[len(t.String())+1:])
	}
	return t, c, err
}

// read answers from this node's own state, as soon as that has all that had been agreed
// on when the request came: a quorum has confirmed since who leads, and the leader knows
// how far that is.
func (n *node) read(ctx context.Context, c Command) Reply {
	if n.fault == readsLocally && n.leads() {
		return n.machine.get(c)
	}
	t, f := n.newTag(), asyncio.NewFuture[uint64](ctx)
	n.reading[t] = f
	defer delete(n.reading, t)
	index := uint64(0)
	err := asyncio.ErrTimeout
	for errors.Is(err, asyncio.ErrTimeout) && ctx.Err() == nil { // the question may be lost, or the answer
		n.raft.ReadIndex([]byte(t.String()))
		n.work.Set()
		index, err = asyncio.WaitFor(ctx, electionTicks*n.Tick, f.Await)
	}
	if err == nil && n.fault != readsTooEarly {
		err = n.until(ctx, func() bool { return n.applied >= index })
	}
	if err != nil {
		return Reply{ID: c.ID, Status: Cancelled}
	}
	return n.machine.get(c)
}

// readable is told the index from which on a read is right.
func (n *node) readable(r raft.ReadState) {
	var t tag
	if _, err := fmt.Sscan(string(r.RequestCtx), &t.node, &t.start, &t.number); err != nil {
		return
	}
	if f := n.reading[t]; f != nil && !f.Done() {
		f.SetResult(r.Index)
	}
}
