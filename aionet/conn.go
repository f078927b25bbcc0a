package aionet

import (
	"context"
	"net"
	"time"
)

// A Conn is a connection whose operations are awaits. It is a [net.Conn], so protocol
// code of the standard library (bufio, net/textproto, crypto/tls …) runs over it in a
// task.
//
// Its operations take no ctx: they obey the innermost scope of the task that calls
// them, [asyncio.Timeout] and [asyncio.Group] included, and fail with a
// [asyncio.CancelledError] when that is cancelled. [Conn.In] gives a view that obeys
// another ctx. They also obey deadlines. An operation that was cancelled, or was too
// late, has taken nothing from the stream; a Write says how much it has written.
//
// One task may read while another writes. A second reader is an error; writers take
// turns. Close, Abort and the Set…Deadline methods are safe to call from any goroutine;
// everything else belongs to the loop that the Conn was made on.
type Conn struct {
	link *link
	ctx  context.Context // of a view; nil where the calling task's scope counts
}

var _ net.Conn = (*Conn)(nil)

// In is the same connection as seen by somebody whose operations obey ctx, a context
// of its loop.
func (c *Conn) In(ctx context.Context) *Conn { return &Conn{c.link, ctx} }

// begin is what the operation op obeys.
func (c *Conn) begin(op string) (context.Context, error) {
	ctx, err := obeyed(c.link.hub.loop, c.ctx)
	if err != nil {
		err = c.link.opError(op, err)
	}
	return ctx, err
}

// LocalAddr is the near end's address.
func (c *Conn) LocalAddr() net.Addr { return c.link.stream.LocalAddr() }

// RemoteAddr is the far end's address.
func (c *Conn) RemoteAddr() net.Addr { return c.link.stream.RemoteAddr() }

// String names the connection in messages.
func (c *Conn) String() string { return "<Conn " + c.link.peer() + ">" }

// SetDeadline has reads and writes fail, from t on, with an error that matches
// [os.ErrDeadlineExceeded]. t is on the loop's clock. The zero time is never; another
// deadline makes the connection usable again. Those who wait obey it, too.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.link.setDeadlines(t, &c.link.in.side, &c.link.out.side)
}

// SetReadDeadline is [Conn.SetDeadline] for reads.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.link.setDeadlines(t, &c.link.in.side) }

// SetWriteDeadline is [Conn.SetDeadline] for writes.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.link.setDeadlines(t, &c.link.out.side) }

func (k *link) setDeadlines(t time.Time, sides ...*side) error {
	l := k.hub.loop
	switch owned := l.Owned(); {
	case !owned && l.Closed() || owned && k.closed:
		return k.opError("set", net.ErrClosed)
	case !owned:
		l.CallSoon(func() { _ = k.setDeadlines(t, sides...) })
		return nil
	}
	for _, s := range sides {
		s.setDeadline(l, t)
	}
	return nil
}
