package aionet

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A secure is crypto/tls over a link. Its mutexes are real, and must never be held by a
// task that is suspended where another one may want them:
//
//   - the handshake is over before anybody else can use the connection;
//   - one task reads at a time, which input.busy sees to, so the reader may wait with
//     the reading mutex;
//   - what crypto/tls writes goes to the write buffer of the link, and never waits.
type secure struct {
	link *link
	conn *tls.Conn
	ctx  context.Context // of the read under way
}

// defaultHandshakeTimeout is asyncio's.
const defaultHandshakeTimeout = time.Minute

// maxRecord is the most that one record of TLS carries.
const maxRecord = 16 << 10

// StartTLS makes TLS of the connection, as its client, and returns after the
// handshake. What was read and not consumed counts as the beginning of the other
// side's TLS. When it fails, the connection is closed. Bound the time it takes with
// [asyncio.Timeout].
func (c *Conn) StartTLS(config *tls.Config) error { return c.link.upgrade(c, tls.Client, config) }

// AcceptTLS is [Conn.StartTLS] as the server.
func (c *Conn) AcceptTLS(config *tls.Config) error { return c.link.upgrade(c, tls.Server, config) }

// TLS is the state of a TLS connection, such as its protocol and certificates, or nil.
func (c *Conn) TLS() *tls.ConnectionState {
	if c.link.secure == nil {
		return nil
	}
	s := c.link.secure.conn.ConnectionState()
	return &s
}

// handshake is StartTLS within a timeout.
func handshake(ctx context.Context, c *Conn, config *tls.Config, timeout time.Duration) error {
	return withinTimeout(ctx, timeout, func(ctx context.Context) error { return c.In(ctx).StartTLS(config) })
}

func withinTimeout(ctx context.Context, timeout time.Duration, f func(ctx context.Context) error) error {
	switch {
	case timeout < 0:
		return f(ctx)
	case timeout == 0:
		timeout = defaultHandshakeTimeout
	}
	return asyncio.Timeout(ctx, timeout, f)
}

// upgrade puts TLS over the link. Until it is over nobody else may use the link.
func (k *link) upgrade(c *Conn, side func(net.Conn, *tls.Config) *tls.Conn, config *tls.Config) error {
	if k.secure != nil {
		return k.opError("handshake", errors.New("aionet: the connection is TLS already"))
	}
	ctx, err := k.beginRead(c)
	if err != nil {
		return err
	}
	defer func() { k.in.busy = false }()
	lock, err := k.out.acquire(ctx)
	if err != nil {
		return err
	}
	defer lock.Release()
	s := &secure{link: k, ctx: ctx}
	s.conn = side(&transport{s, bytes.Clone(k.in.buffered())}, config)
	k.in.drop(k.hub)
	if err := s.conn.Handshake(); err != nil { // HandshakeContext would start a goroutine
		err = k.opError("handshake", resumed(err))
		k.flush() // the alert
		_ = k.release(k.stream.Close)
		return err
	}
	k.secure, s.ctx = s, nil
	return nil
}

// read reads what was encrypted, and waits for it.
func (s *secure) read(ctx context.Context, p []byte) (int, error) {
	s.ctx = ctx
	n, err := s.conn.Read(p)
	s.ctx = nil
	return n, resumed(err)
}

// write encrypts p and waits until all of it is sent. The caller holds the lock.
func (s *secure) write(ctx context.Context, p []byte) (n int, err error) {
	k := s.link
	for n < len(p) {
		if err := k.writable(ctx); err != nil {
			return n, err
		}
		m, err := s.conn.Write(p[n:min(len(p), n+maxRecord)])
		n += m
		if err == nil && k.out.unsent() > int(k.out.most) {
			err = k.sendUntil(ctx, int(k.out.low))
		}
		if err != nil {
			return n, err
		}
	}
	return n, k.sendAll(ctx)
}

// writev is write for several slices.
func (s *secure) writev(ctx context.Context, bufs [][]byte) (all int64, err error) {
	for _, p := range bufs {
		n, err := s.write(ctx, p)
		if all += int64(n); err != nil {
			return all, err
		}
	}
	return all, nil
}

// enqueue encrypts p into the write buffer.
func (s *secure) enqueue(p []byte) {
	if _, err := s.conn.Write(p); err != nil {
		s.link.out.fail(err)
	}
}

// closeWrite enqueues the close_notify.
func (s *secure) closeWrite() { _ = s.conn.CloseWrite() }

// A transport is a link as crypto/tls sees it.
type transport struct {
	*secure
	early []byte // read before TLS began
}

var _ net.Conn = (*transport)(nil)

// Read waits for what the other side has sent.
func (t *transport) Read(p []byte) (int, error) {
	if len(t.early) > 0 {
		n := copy(p, t.early)
		t.early = t.early[n:]
		return n, nil
	}
	k, ctx := t.link, t.ctx
	for {
		// A peer may ask for any number of new keys, and read none of the answers.
		if k.out.unsent() > int(k.out.most) {
			if err := k.sendUntil(ctx, int(k.out.low)); err != nil {
				return 0, paused(err)
			}
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

// Write enqueues a record.
func (t *transport) Write(p []byte) (int, error) {
	k := t.link
	switch {
	case k.closed:
		return 0, net.ErrClosed
	case k.out.failed != nil:
		return 0, k.out.failed
	}
	k.enqueue(p)
	return len(p), nil
}

// Close does nothing: the link has an end of its own.
func (t *transport) Close() error { return nil }

func (t *transport) LocalAddr() net.Addr  { return t.link.stream.LocalAddr() }
func (t *transport) RemoteAddr() net.Addr { return t.link.stream.RemoteAddr() }

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
