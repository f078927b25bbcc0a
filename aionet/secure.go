package aionet

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A secure is crypto/tls over a link. Its mutexes are real, and must never be held by a
// task that is suspended where another one may want them:
//
//   - the handshake is over before anybody else can use the connection;
//   - one task reads at a time, which input.busy sees to, so the reader may wait with
//     the reading mutex;
//   - what crypto/tls writes goes to the write buffer of the link, and never waits;
//   - there is no renegotiation, which would be a handshake within a read.
type secure struct {
	link    *link
	conn    *tls.Conn
	ctx     context.Context // of the read under way
	ready   bool            // the handshake is over
	held    []byte          // enqueued during the handshake, which it follows
	ended   bool            // a close_notify is on its way
	sending bool            // crypto/tls writes for the application, not an answer of its own

	answers int   // bytes of answers that may be unsent
	total   int64 // bytes that crypto/tls has written
	last    int64 // what total was after the last answer
	crowded bool  // the reader waits for the other side to take answers
}

// defaultHandshakeTimeout is asyncio's.
const defaultHandshakeTimeout = time.Minute

// maxRecord is the most that one record of TLS carries.
const maxRecord = 16 << 10

// StartTLS makes TLS of the connection, as its client, and returns after the
// handshake. What was read and not consumed counts as the beginning of the other
// side's TLS, so nobody can slip plain text in that is taken for decrypted. Writers
// wait until the handshake is over; what is enqueued meanwhile is sent after it,
// encrypted.
//
// When it fails or is cancelled, the connection is closed; only if another task reads
// ([ErrBusy]) is it left alone. Bound the time it takes with [asyncio.Timeout]. The
// functions of config run in the task and may await. Renegotiation is refused, whatever
// config says, and ends the connection.
//
// As with crypto/tls, a stream that ends without a close_notify reads as [io.EOF] where
// no record is cut off, and as [io.ErrUnexpectedEOF] elsewhere: a protocol that has to
// know must say by itself where its messages end.
func (c *Conn) StartTLS(config *tls.Config) error { return c.link.upgrade(c, tls.Client, config) }

// AcceptTLS is [Conn.StartTLS] as the server.
func (c *Conn) AcceptTLS(config *tls.Config) error { return c.link.upgrade(c, tls.Server, config) }

// TLS is the state of a TLS connection, such as its protocol and certificates, or nil
// before the end of the handshake.
func (c *Conn) TLS() *tls.ConnectionState {
	s := c.link.secure
	if s == nil || !s.ready { // crypto/tls would wait for the handshake with a mutex
		return nil
	}
	state := s.conn.ConnectionState()
	return &state
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
	err := asyncio.Timeout(ctx, timeout, f)
	if errors.Is(err, asyncio.ErrTimeout) {
		err = fmt.Errorf("aionet: TLS handshake: %w", err)
	}
	return err
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
	defer func() {
		k.in.busy = false
		if k.secure == nil || !k.secure.ready { // or a function of the config has panicked
			_ = k.close() // once the alert is sent
		}
	}()
	lock, err := k.out.acquire(ctx)
	if err != nil {
		return err
	}
	defer lock.Release()
	s := &secure{link: k, ctx: ctx}
	s.conn = side(&transport{s, bytes.Clone(k.in.buffered())}, withoutRenegotiation(config))
	k.secure = s
	k.in.drop(k.hub)
	if err := s.conn.Handshake(); err != nil { // HandshakeContext would start a goroutine
		return k.opError("handshake", resumed(err))
	}
	s.ctx, s.ready = nil, true
	if len(s.held) > 0 {
		s.enqueue(s.held)
		s.held = nil
		k.out.ready.Set() // for who drains
	}
	return nil
}

// withoutRenegotiation is config with renegotiation off: the reader would wait for the
// other side with the mutex that every Write takes.
func withoutRenegotiation(config *tls.Config) *tls.Config {
	if config != nil && config.Renegotiation != tls.RenegotiateNever {
		config = config.Clone()
		config.Renegotiation = tls.RenegotiateNever
	}
	return config
}

// read reads what was encrypted, and waits for it. What comes with an error is taken; the
// error comes again.
func (s *secure) read(ctx context.Context, p []byte) (int, error) {
	s.ctx = ctx
	n, err := s.conn.Read(p)
	s.ctx = nil
	if n > 0 {
		return n, nil
	}
	return 0, resumed(err)
}

// write encrypts bufs and waits until all of it is sent. The caller holds the lock.
func (s *secure) write(ctx context.Context, bufs ...[]byte) (all int64, err error) {
	for _, p := range bufs {
		n, err := s.encrypt(ctx, p)
		all += int64(n)
		if err != nil {
			return all, err
		}
	}
	return all, s.link.sendAll(ctx)
}

// encrypt encrypts p into the write buffer, a record at a time, and waits while that
// is full.
func (s *secure) encrypt(ctx context.Context, p []byte) (n int, err error) {
	k := s.link
	for n < len(p) {
		if err := k.writable(ctx); err != nil {
			return n, err
		}
		m, err := s.send(p[n:min(len(p), n+maxRecord)])
		n += m
		if err == nil && k.out.unsent() > int(k.out.most) {
			err = k.sendUntil(ctx, int(k.out.low))
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// enqueue encrypts p into the write buffer, or keeps it until that is possible.
func (s *secure) enqueue(p []byte) {
	o := &s.link.out
	switch {
	case s.ended || len(p) == 0:
	case !s.ready:
		s.held = append(s.held, p...)
	default:
		if _, err := s.send(p); err != nil {
			o.fail(err)
		}
	}
}

func (s *secure) send(p []byte) (int, error) {
	s.sending = true
	defer func() { s.sending = false }()
	return s.conn.Write(p)
}

// closeWrite enqueues the close_notify.
func (s *secure) closeWrite() {
	s.ended = s.ready
	_ = s.conn.CloseWrite()
}

// unanswered is how many bytes of answers are unsent, or more.
func (s *secure) unanswered() int {
	if int64(s.link.out.unsent()) <= s.total-s.last {
		s.answers = 0
	}
	return s.answers
}

// awaitAnswers waits, if more answers than the high-water mark are unsent, until all are
// sent: a peer may ask for any number of new keys, and read none of the answers. It is
// part of a read, and obeys its deadline. What the application writes does not count:
// two peers that write much would each wait for the other to read.
func (s *secure) awaitAnswers(ctx context.Context) error {
	k := s.link
	if high := int(k.out.most); s.answers <= high || s.unanswered() <= high {
		return nil
	}
	s.crowded = true
	defer func() { s.crowded = false }()
	for {
		if err := k.readable(ctx); err != nil {
			return err
		}
		if k.flush(); s.unanswered() == 0 {
			return nil
		}
		k.in.streak = 0
		k.in.ready.Clear() // flush has asked to be told
		if err := k.in.ready.WaitAs(ctx, (*writeWait)(k)); err != nil {
			return err
		}
	}
}
