package aionet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"

	"github.com/asyncio-go/asyncio"
)

// Those of asyncio.
const (
	defaultHighWater = 64 << 10
	defaultLowWater  = 16 << 10
)

// output is the writing side of a link: buf[sent:] is what was enqueued and not sent.
type output struct {
	side
	failed error         // every write fails with it from now on
	lock   *asyncio.Lock // held by the task that writes; made for the first
	buf    []byte
	sent   int32
	low    int32 // the low-water mark
}

func (o *output) unsent() int { return len(o.buf) - int(o.sent) }

// fail makes the side useless, and tells whoever waits for it.
func (o *output) fail(err error) {
	if o.failed == nil {
		o.failed = err
	}
	o.ready.Set()
}

// acquire makes the task the one that writes, until it releases the lock.
func (o *output) acquire(ctx context.Context) (*asyncio.Lock, error) {
	if o.lock == nil {
		o.lock = new(asyncio.Lock)
	}
	return o.lock, o.lock.Acquire(ctx)
}

// beginWrite makes the calling task the one that writes, for the operation op, until it
// releases the lock.
func (c *Conn) beginWrite(op string) (context.Context, *asyncio.Lock, error) {
	ctx, err := c.begin(op)
	if err != nil {
		return nil, nil, err
	}
	lock, err := c.link.out.acquire(ctx)
	return ctx, lock, err
}

// drop forgets what was not sent, and gives the buffer back.
func (o *output) drop(h *hub) {
	if o.buf != nil {
		h.give(o.buf)
		o.buf, o.sent = nil, 0
	}
}

// Write writes p and waits until the system has taken all of it, after what was
// enqueued before. It returns how much that was, which is less than len(p) only with
// an error. Of several tasks that write, each writes its p in one piece, in the order
// in which they came.
func (c *Conn) Write(p []byte) (int, error) {
	k := c.link
	ctx, lock, err := c.beginWrite("write")
	if err != nil {
		return 0, err
	}
	defer lock.Release()
	return k.writeInTurn(ctx, p)
}

// writeInTurn is Write for who holds the lock.
func (k *link) writeInTurn(ctx context.Context, p []byte) (int, error) {
	if k.secure != nil {
		n, err := k.secure.write(ctx, p)
		return int(n), k.opError("write", err)
	}
	n, err := k.write(ctx, p)
	return n, k.opError("write", err)
}

// Writev is [Conn.Write] of several slices in one piece, which it does not change.
func (c *Conn) Writev(bufs ...[]byte) (int64, error) {
	k := c.link
	ctx, lock, err := c.beginWrite("write")
	if err != nil {
		return 0, err
	}
	defer lock.Release()
	var n int64
	if k.secure != nil {
		n, err = k.secure.write(ctx, bufs...)
	} else {
		n, err = k.writev(ctx, slices.Clone(bufs))
	}
	return n, k.opError("write", err)
}

// write is Write past the buffer. The caller holds the lock.
func (k *link) write(ctx context.Context, p []byte) (n int, err error) {
	if err := k.sendAll(ctx); err != nil {
		return 0, err
	}
	k.direct = true
	defer k.written()
	for n < len(p) {
		if err := k.writable(ctx); err != nil {
			return n, err
		}
		m, err := k.stream.Write(p[n:])
		n += m
		if err == ErrWouldBlock {
			err = k.awaitWritable(ctx)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// writev is write for several slices, which it consumes.
func (k *link) writev(ctx context.Context, bufs [][]byte) (all int64, err error) {
	if err := k.sendAll(ctx); err != nil {
		return 0, err
	}
	k.direct = true
	defer k.written()
	for {
		for len(bufs) > 0 && len(bufs[0]) == 0 {
			bufs = bufs[1:]
		}
		if len(bufs) == 0 {
			return all, nil
		}
		if err := k.writable(ctx); err != nil {
			return all, err
		}
		n, err := k.stream.Writev(bufs)
		all += int64(n)
		for n > 0 {
			m := min(n, len(bufs[0]))
			bufs[0] = bufs[0][m:]
			if n -= m; len(bufs[0]) == 0 {
				bufs = bufs[1:]
			}
		}
		if err == ErrWouldBlock {
			err = k.awaitWritable(ctx)
		}
		if err != nil {
			return all, err
		}
	}
}

// written ends a write past the buffer.
func (k *link) written() {
	k.direct = false
	if k.out.buf != nil {
		k.flush()
		k.out.ready.Set() // somebody may wait in Drain, and flush tells of no success
	}
}

// Enqueue appends a copy of p to the connection's write buffer and does not wait. The
// buffer is sent at the end of the turn, or as soon as the task waits for input on this
// connection: replies to requests that came together leave together. It is for what
// must not wait; whoever enqueues much has to Drain, or the buffer grows. That a
// connection is closed or has failed, Drain and the reads tell; what is enqueued then
// is dropped.
func (c *Conn) Enqueue(p []byte) {
	k := c.link
	switch {
	case k.closed || k.out.failed != nil || len(p) == 0:
	case k.secure != nil:
		k.secure.enqueue(p)
	default:
		k.enqueue(p)
	}
}

func (k *link) enqueue(p []byte) {
	o := &k.out
	if l := k.hub.loop; !l.Owned() {
		if l.Closed() {
			return
		}
		l.Context() // panics
	}
	if len(p) > math.MaxInt32-len(o.buf) {
		o.fail(errTooMuch)
		return
	}
	if o.unsent()+len(p) > cap(o.buf) && o.buf != nil {
		k.flush() // before the buffer grows
	}
	if o.buf == nil && len(p) >= smallBuffer && !k.direct {
		if p = p[k.send(p):]; len(p) == 0 || o.failed != nil {
			return
		}
		k.stream.OnWritable(o.wake)
	}
	if o.buf == nil {
		o.buf = k.hub.take(len(p) > smallBuffer)
	}
	if len(o.buf)+len(p) > cap(o.buf) {
		o.buf = o.buf[:copy(o.buf, o.buf[o.sent:])]
		o.sent = 0
	}
	o.buf = append(o.buf, p...)
	k.hub.flushSoon(k)
}

var errTooMuch = errors.New("aionet: Conn.Enqueue: the write buffer would have to hold 2 GiB; call Drain after each Enqueue")

// send writes as much of p as there is room for, and notes an error.
func (k *link) send(p []byte) (sent int) {
	for sent < len(p) {
		n, err := k.stream.Write(p[sent:])
		sent += n
		if err == ErrWouldBlock {
			break
		}
		if err != nil {
			k.out.fail(err)
			break
		}
	}
	return sent
}

// flush sends as much of the buffer as there is room for, and goes on when there is more.
func (k *link) flush() {
	o := &k.out
	if o.buf == nil || k.direct {
		return
	}
	o.sent += int32(k.send(o.buf[o.sent:]))
	if o.unsent() == 0 || o.failed != nil {
		o.drop(k.hub)
	} else {
		k.stream.OnWritable(o.wake)
	}
}

// roomToWrite is called when the stream is writable.
func (k *link) roomToWrite() {
	k.flush()
	if k.closed && k.out.unsent() == 0 {
		_ = k.release(k.stream.Close) // which Close has left to us
	}
	k.out.ready.Set()
	if k.secure != nil && k.secure.crowded {
		k.in.ready.Set()
	}
}

// Drain waits, if more than the high-water mark is unsent, until no more than the
// low-water mark is: the backpressure of those who enqueue. It also tells of the error
// that sending has met.
func (c *Conn) Drain() error {
	k := c.link
	ctx, err := c.begin("write")
	switch {
	case err != nil:
		return err
	case k.backlog() <= int(k.out.most):
		err = k.writable(ctx)
	default:
		err = k.sendUntil(ctx, int(k.out.low))
	}
	if err != nil {
		err = k.opError("write", err)
	}
	return err
}

// backlog is how many bytes wait to be sent.
func (k *link) backlog() int {
	n := k.out.unsent()
	if k.secure != nil {
		n += len(k.secure.held)
	}
	return n
}

// sendAll waits until the buffer is empty.
func (k *link) sendAll(ctx context.Context) error {
	if k.out.buf == nil {
		return nil
	}
	return k.sendUntil(ctx, 0)
}

// sendUntil waits until no more than n bytes are unsent.
func (k *link) sendUntil(ctx context.Context, n int) error {
	for {
		if err := k.writable(ctx); err != nil {
			return err
		}
		if k.flush(); k.out.failed != nil {
			return k.out.failed
		}
		if k.backlog() <= n {
			return nil
		}
		k.out.streak = 0
		k.out.ready.Clear() // flush has asked to be told
		if err := k.out.ready.WaitAs(ctx, (*writeWait)(k)); err != nil {
			return err
		}
	}
}

// Unsent is how many bytes are in the write buffer.
func (c *Conn) Unsent() int { return c.link.backlog() }

// SetWriteBuffer sets the high-water mark, above which Drain waits, and the low-water
// mark, down to which it does; 64 KiB and 16 KiB unless it is called.
func (c *Conn) SetWriteBuffer(high, low int) {
	if low < 0 || high < low || high > math.MaxInt32 {
		panic(fmt.Sprintf("aionet: Conn.SetWriteBuffer(%d, %d): the low-water mark must be from 0 to the high-water mark, which must be below 2 GiB", high, low))
	}
	c.link.out.most, c.link.out.low = int32(high), int32(low)
}

// CloseWrite tells the other side that nothing more will be written, once everything
// that was enqueued is sent; reading goes on. Over TLS it is a close_notify.
func (c *Conn) CloseWrite() error {
	k := c.link
	ctx, lock, err := c.beginWrite("close")
	if err != nil {
		return err
	}
	defer lock.Release()
	if err = k.writable(ctx); err == nil {
		err = k.sendAll(ctx)
	}
	if err == nil && k.secure != nil {
		k.secure.closeWrite()
		err = k.sendAll(ctx)
	}
	if err == nil {
		err = k.stream.CloseWrite()
		k.out.fail(net.ErrClosed)
	}
	return k.opError("close", err)
}
