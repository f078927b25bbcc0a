package aionet

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A transport is a link as crypto/tls sees it.
type transport struct {
	secure *secure
	early  []byte // read before TLS began
}

var _ net.Conn = (*transport)(nil)

// Read waits for what the other side has sent.
func (t *transport) Read(p []byte) (int, error) {
	if len(t.early) > 0 {
		n := copy(p, t.early)
		t.early = t.early[n:]
		return n, nil
	}
	k, ctx := t.secure.link, t.secure.ctx
	for {
		if err := t.secure.awaitAnswers(ctx); err != nil {
			return 0, paused(err)
		}
		if err := k.readable(ctx); err != nil {
			return 0, paused(err)
		}
		n, err := k.stream.Read(p)
		if err != ErrWouldBlock {
			return n, err
		}
		if err := k.awaitReadable(ctx); err != nil {
			return 0, paused(err)
		}
	}
}

// Write enqueues a record. Answers that cannot be sent are dropped: given an error,
// crypto/tls would not change its own keys, and not understand what it reads from then on.
func (t *transport) Write(p []byte) (int, error) {
	s := t.secure
	k := s.link
	switch {
	case k.closed:
		return 0, net.ErrClosed
	case k.out.failed != nil && s.ready && !s.sending:
		return len(p), nil
	case k.out.failed != nil:
		return 0, k.out.failed
	}
	k.enqueue(p)
	s.total += int64(len(p))
	if !s.sending {
		s.answers += len(p)
		s.last = s.total
	}
	return len(p), nil
}

// Close does nothing: the link has an end of its own.
func (t *transport) Close() error { return nil }

func (t *transport) LocalAddr() net.Addr  { return t.secure.link.stream.LocalAddr() }
func (t *transport) RemoteAddr() net.Addr { return t.secure.link.stream.RemoteAddr() }

// The deadlines that crypto/tls sets for its own alerts are not the connection's.

func (t *transport) SetDeadline(time.Time) error      { return nil }
func (t *transport) SetReadDeadline(time.Time) error  { return nil }
func (t *transport) SetWriteDeadline(time.Time) error { return nil }

// A pause is an error that ends a read but not the connection: crypto/tls would never
// read again after an error that does not call itself temporary.
type pause struct{ error }

func (pause) Timeout() bool   { return true }
func (pause) Temporary() bool { return true }
func (p pause) Unwrap() error { return p.error }

func paused(err error) error {
	if err == os.ErrDeadlineExceeded || errors.As(err, new(*asyncio.CancelledError)) {
		return pause{err}
	}
	return err
}

// resumed is the error that was paused.
func resumed(err error) error {
	if p, ok := err.(pause); ok {
		return p.error
	}
	return err
}
