package aionet

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/asyncio-go/asyncio"
)

// A link is a connection, which several views (Conn) may show: a stream, what was
// read of it and not consumed, and what is to be written to it. It belongs to the loop.
//
// Idle connections are what a server has most of. The fields are small, and in an order
// without gaps, so that one takes 256 bytes.
type link struct {
	hub    *hub
	stream Stream
	secure *secure // TLS over the stream, or nil
	in     input
	out    output
	closed bool // by Close or Abort: nothing may begin
	ended  bool // the stream is closed, too
	direct bool // a Write is past the buffer: what is enqueued meanwhile goes after it
	dirty  bool // the hub will flush
}

func newLink(h *hub, s Stream) *link {
	k := &link{hub: h, stream: s}
	k.in.wake = k.in.ready.Set
	k.out.wake = k.roomToWrite
	k.in.most, k.out.most, k.out.low = defaultReadLimit, defaultHighWater, defaultLowWater
	return k
}

// mayRead returns the error of a read that needs no system call.
func (k *link) mayRead(ctx context.Context) error {
	if k.closed {
		return net.ErrClosed
	}
	return k.in.check(ctx)
}

// readable returns the error of a read that must not begin, or go on.
func (k *link) readable(ctx context.Context) error {
	if k.closed {
		return net.ErrClosed
	}
	return k.in.usable(ctx)
}

// writable returns the error of a write that must not begin, or go on.
func (k *link) writable(ctx context.Context) error {
	switch {
	case k.closed:
		return net.ErrClosed
	case k.out.failed != nil:
		return k.out.failed
	}
	return k.out.usable(ctx)
}

// expectInput has in.ready set once it is worth trying to read again.
func (k *link) expectInput() {
	k.in.streak = 0
	if k.out.buf != nil {
		k.flush() // the other side may wait for it
	}
	k.in.ready.Clear()
	k.stream.OnReadable(k.in.wake)
}

// awaitReadable waits until it is worth trying to read again.
func (k *link) awaitReadable(ctx context.Context) error {
	k.expectInput()
	return k.in.ready.WaitAs(ctx, (*readWait)(k))
}

// awaitWritable waits until it is worth trying to write again.
func (k *link) awaitWritable(ctx context.Context) error {
	k.out.streak = 0
	k.out.ready.Clear()
	k.stream.OnWritable(k.out.wake)
	return k.out.ready.WaitAs(ctx, (*writeWait)(k))
}

// A readWait is a link as what a task waits for that reads.
type readWait link

func (w *readWait) String() string { return "input from " + (*link)(w).peer() }

// A writeWait is a link as what a task waits for that writes.
type writeWait link

func (w *writeWait) String() string { return "room to write to " + (*link)(w).peer() }

// peer names the other side.
func (k *link) peer() string {
	if a := k.stream.RemoteAddr(); a != nil && a.String() != "" {
		return a.Network() + " " + a.String()
	}
	if a := k.stream.LocalAddr(); a != nil {
		return "a peer of " + a.Network() + " " + a.String()
	}
	return "a closed connection"
}

// release ends the link with the given end of its stream.
func (k *link) release(end func() error) error {
	if k.ended {
		return nil
	}
	k.closed, k.ended = true, true
	k.in.end()
	k.out.end()
	k.in.buf, k.in.start = nil, 0 // not to the hub: the caller may still hold what Peek has shown
	k.out.drop(k.hub)
	return end()
}

// opError says of an error what failed where, as package net does. The end of a
// stream and a cancellation are what they are.
func (k *link) opError(op string, err error) error {
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF || isCancellation(err) {
		return err
	}
	if _, ok := err.(*net.OpError); ok {
		return err
	}
	e := &net.OpError{Op: op, Source: k.stream.LocalAddr(), Addr: k.stream.RemoteAddr(), Err: err}
	if e.Source != nil {
		e.Net = e.Source.Network()
	}
	return e
}

func isCancellation(err error) bool {
	var cancelled *asyncio.CancelledError
	return errors.As(err, &cancelled)
}
