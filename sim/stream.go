package sim

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// A stream is one end of a connection. What programs see of it is what Linux shows of
// TCP: which error comes first, which bytes can still be read after a reset, when the
// other side gets one.
type stream struct {
	at, there *stack
	binding
	remote    binding
	peer      *stream   // nil until the other end exists
	listener  *acceptor // nil once a program has it
	state     streamState
	closed    bool // by the program
	connected *asyncio.Future[error]

	in       incoming
	out      outgoing
	order    time.Duration // when the last packet that was sent arrives
	failure  syscall.Errno // what has ended the connection; the next operation takes it
	readable func()
	writable func()

	keepAlive time.Duration
	pings     int // in a row without an answer
	pinger    *asyncio.Handle
}

var _ aionet.Stream = (*stream)(nil)

type streamState uint8

const (
	synSent     streamState = iota // by a program that connects
	synReceived                    // for a listener
	open
	dead // no packet comes or goes any more
)

func newStream(at, there *stack, local, remote binding) *stream {
	s := &stream{at: at, there: there, binding: local, remote: remote}
	s.in.room, s.out.room = at.n.buffer, at.n.buffer
	s.in.edge = s.in.room
	at.add(s)
	return s
}

// Read implements [aionet.Stream].
func (s *stream) Read(p []byte) (int, error) {
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case len(p) == 0:
		return 0, nil
	case len(s.in.buf) > 0:
		n := copy(p[:s.some(min(len(p), len(s.in.buf)))], s.in.buf)
		s.consume(n)
		return n, nil
	case s.in.ended:
		return 0, io.EOF
	case s.failure != 0:
		return 0, s.takeFailure("read")
	case s.state == dead:
		return 0, io.EOF
	}
	return 0, aionet.ErrWouldBlock
}

// Write implements [aionet.Stream].
func (s *stream) Write(p []byte) (int, error) { return s.Writev([][]byte{p}) }

// Writev implements [aionet.Stream].
func (s *stream) Writev(bufs [][]byte) (int, error) {
	all := 0
	for _, p := range bufs {
		all += len(p)
	}
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.failure != 0:
		return 0, s.takeFailure("write")
	case s.state == dead || s.out.fin:
		return 0, sysError("write", syscall.EPIPE)
	case all == 0:
		return 0, nil
	}
	s.absorb()
	n := min(all, s.out.free())
	if n == 0 {
		return 0, aionet.ErrWouldBlock
	}
	n = s.some(n)
	for rest := n; rest > 0; bufs = bufs[1:] {
		p := bufs[0][:min(rest, len(bufs[0]))]
		s.out.buf = append(s.out.buf, p...)
		rest -= len(p)
	}
	s.push(false)
	return n, nil
}

// some is how many of n bytes an operation moves: all, one, half or all but one.
func (s *stream) some(n int) int {
	if n == 1 {
		return n
	}
	switch s.at.n.w.s.draw(4, "how much a read or write moves") {
	case 1:
		return 1
	case 2:
		return (n + 1) / 2
	case 3:
		return n - 1
	}
	return n
}

// takeFailure is what has ended the connection, as the error of the system call; it is
// told once.
func (s *stream) takeFailure(call string) error {
	errno := s.failure
	s.failure = 0
	return sysError(call, errno)
}

func sysError(call string, errno syscall.Errno) error { return os.NewSyscallError(call, errno) }

// CloseWrite implements [aionet.Stream].
func (s *stream) CloseWrite() error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.state == dead:
		return sysError("shutdown", syscall.ENOTCONN)
	}
	s.out.fin = true
	s.push(false)
	return nil
}

// Close implements [aionet.Stream]. What was written is sent all the same, as long as
// nothing arrives that nobody will read.
func (s *stream) Close() error {
	switch {
	case s.closed:
		return nil
	case s.state != open || len(s.in.buf) > 0:
		return s.Abort()
	}
	s.closed, s.out.fin = true, true
	if s.push(false); s.peer.in.ended {
		s.at.remove(s)
	}
	return nil
}

// Abort implements [aionet.Stream].
func (s *stream) Abort() error {
	if s.closed {
		return nil
	}
	tell := s.state == open || s.state == synReceived
	s.vanish()
	s.at.remove(s)
	if tell {
		s.sendReset()
	}
	return nil
}

// vanish implements socket. Whoever waits looks again, and finds it closed.
func (s *stream) vanish() {
	s.closed = true
	s.die()
	if s.connected != nil && !s.connected.Done() && !s.at.n.over {
		s.connected.SetResult(net.ErrClosed)
	}
}

// fail ends the connection with what the next operation is told.
func (s *stream) fail(errno syscall.Errno) {
	if s.state == dead {
		return
	}
	connecting := s.state == synSent
	s.failure = errno
	if s.closed {
		s.at.remove(s)
	}
	if s.die(); connecting {
		s.connected.SetResult(s.takeFailure("connect"))
	}
}

// die has nothing come or go any more. What has come can still be read.
func (s *stream) die() {
	s.state = dead
	s.out.buf, s.out.acks = nil, nil
	for _, h := range []*asyncio.Handle{s.out.retry, s.out.due, s.pinger} {
		if h != nil {
			h.Cancel()
		}
	}
	if !s.at.n.over {
		wake(&s.readable)
		wake(&s.writable)
	}
}

// held implements socket.
func (s *stream) held() bool {
	return !s.closed && s.listener == nil && (s.connected == nil || s.connected.Done())
}

// bound implements socket.
func (s *stream) bound() binding { return s.binding }

// LocalAddr implements [aionet.Stream].
func (s *stream) LocalAddr() net.Addr { return s.binding.netAddr() }

// RemoteAddr implements [aionet.Stream].
func (s *stream) RemoteAddr() net.Addr { return s.remote.netAddr() }

// String implements socket.
func (s *stream) String() string { return s.binding.String() + " -> " + s.remote.name() }

// OnReadable implements [aionet.Notifier].
func (s *stream) OnReadable(call func()) {
	s.readable = call
	if len(s.in.buf) > 0 || s.in.ended || s.state == dead {
		s.at.n.w.loop.CallSoon(func() { wake(&s.readable) })
	}
}

// OnWritable implements [aionet.Notifier].
func (s *stream) OnWritable(call func()) {
	s.writable = call
	if s.absorb(); s.out.free() > 0 || s.state == dead {
		s.at.n.w.loop.CallSoon(func() { wake(&s.writable) })
		return
	}
	s.expectAcks()
}

// wake calls what waits, once.
func wake(waiting *func()) {
	if call := *waiting; call != nil {
		*waiting = nil
		call()
	}
}

// SetNoDelay is what aionet asks of TCP. Nothing is delayed.
func (s *stream) SetNoDelay(bool) error { return nil }
