package aionet

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio"
)

// linger is how long Close waits for the other side to take what was enqueued.
const linger = 5 * time.Second

// Close closes the connection. Whoever waits on it fails with an error that matches
// [net.ErrClosed]. What was enqueued is sent first: a task waits for that, at most 5 s,
// and no cancellation ends the wait; then the rest is dropped and the other side gets a
// reset. A callback, or another goroutine, does not wait.
//
// Closing it twice does nothing. A connection that is open when its loop closes is
// closed, and what was enqueued is dropped.
func (c *Conn) Close() error {
	k := c.link
	if l := k.hub.loop; !l.Owned() {
		onLoop(l, func() { _ = k.close() })
		return nil
	}
	if k.closed {
		return nil
	}
	err := k.close()
	if asyncio.CurrentTask(k.hub.ctx) != nil {
		k.awaitEnd()
	}
	return err
}

// Abort closes the connection at once. What was enqueued is dropped, and the other side
// gets a reset.
func (c *Conn) Abort() {
	onLoop(c.link.hub.loop, func() { _ = c.link.release(c.link.stream.Abort) })
}

// close closes the link, or begins to if there is something to send.
func (k *link) close() error {
	if k.closed {
		return nil
	}
	if k.secure != nil {
		k.secure.closeWrite()
	}
	k.closed = true
	if k.direct { // a Write is cut short: nothing can follow it
		k.out.drop(k.hub)
	}
	k.flush()
	k.in.end()
	k.out.end()
	if k.out.unsent() == 0 {
		return k.release(k.stream.Close)
	}
	k.out.alarm = k.hub.loop.CallLater(linger, func() { _ = k.release(k.stream.Abort) })
	return nil
}

// awaitEnd waits until a link that is closed has ended: for a bounded time.
func (k *link) awaitEnd() {
	ctx := context.WithoutCancel(k.hub.loop.Context())
	for !k.ended {
		k.out.ready.Clear()
		if k.out.ready.WaitAs(ctx, (*writeWait)(k)) != nil {
			return // unwound by force
		}
	}
}
