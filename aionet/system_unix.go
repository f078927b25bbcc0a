//go:build unix && !asyncio_netonly

package aionet

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/socket"
)

// system is the system's network over the loop's poller.
type system struct{ loop *asyncio.Loop }

func systemNetwork(l *asyncio.Loop) Network { return system{l} }

// Connect implements [Network].
func (n system) Connect(ctx context.Context, local, remote net.Addr) (Stream, error) {
	fd, err := socket.Connect(local, remote)
	if err != nil {
		return nil, err
	}
	s, err := n.stream(fd, remote)
	if err != nil {
		_ = socket.Close(fd)
		return nil, err
	}
	err = s.fd.WaitWritable(ctx)
	if err == nil {
		err = socket.Error(fd)
	}
	if err == nil && remote.Network() == "tcp" {
		err = s.SetNoDelay(true)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// stream is a connected socket as a Stream. It takes fd over, unless it fails.
func (n system) stream(fd int, remote net.Addr) (*fdStream, error) {
	s := &fdStream{sysfd: int32(fd), remote: remote, whole: remote.Network() == "tcp"}
	if err := s.register(n.loop, fd); err != nil {
		return nil, err
	}
	s.fd.OnClose(s.release)
	return s, nil
}

// An fdStream is a connected socket, or another descriptor that bytes flow through.
type fdStream struct {
	fd      *asyncio.FD
	sysfd   int32
	whole   bool // a read takes all there is; others stop at a line, or at a passed descriptor
	drained bool // the last read took all there was
	reset   bool // Close is to reset the connection
	remote  net.Addr
	local   net.Addr // once somebody has asked
}

func (s *fdStream) register(l *asyncio.Loop, fd int) (err error) {
	s.fd, err = l.Register(uintptr(fd))
	return err
}

// Read implements [Stream]. After a read that was not filled there is nothing more
// before the next edge, unless that has been the last: one system call saved of two.
func (s *fdStream) Read(p []byte) (int, error) {
	if s.drained {
		s.drained = false
		if !s.fd.HungUp() {
			return 0, ErrWouldBlock
		}
	}
	n, err := socket.Read(int(s.sysfd), p)
	switch {
	case err != nil:
		return 0, s.sysError("read", err)
	case n == 0:
		return 0, io.EOF
	}
	s.drained = s.whole && n < len(p)
	return n, nil
}

// Write implements [Stream].
func (s *fdStream) Write(p []byte) (int, error) {
	n, err := socket.Write(int(s.sysfd), p)
	return n, s.sysError("write", err)
}

// Writev implements [Stream].
func (s *fdStream) Writev(bufs [][]byte) (int, error) {
	n, err := socket.Writev(int(s.sysfd), bufs)
	return n, s.sysError("writev", err)
}

func (s *fdStream) sysError(call string, err error) error {
	if err == nil || err == ErrWouldBlock {
		return err
	}
	return s.unlessClosed(os.NewSyscallError(call, err))
}

// unlessClosed is err, or of a descriptor that is closed, with its loop perhaps, that.
func (s *fdStream) unlessClosed(err error) error {
	if err != nil && s.sysfd < 0 {
		return net.ErrClosed
	}
	return err
}

// OnReadable implements [Notifier].
func (s *fdStream) OnReadable(call func()) { s.fd.OnReadable(call) }

// OnWritable implements [Notifier].
func (s *fdStream) OnWritable(call func()) { s.fd.OnWritable(call) }

// CloseWrite implements [Stream].
func (s *fdStream) CloseWrite() error { return socket.CloseWrite(int(s.sysfd)) }

// Close implements [Stream].
func (s *fdStream) Close() error {
	s.fd.Close()
	return nil
}

// Abort implements [Stream].
func (s *fdStream) Abort() error {
	s.reset = true
	return s.Close()
}

// release closes the descriptor, when the stream is closed or the loop is. What close(2)
// returns is of no use to anybody: the descriptor is gone in any case.
func (s *fdStream) release() {
	s.LocalAddr() // for error messages that are still to come
	if s.reset {
		_ = socket.Reset(int(s.sysfd))
	} else {
		_ = socket.Close(int(s.sysfd))
	}
	s.sysfd = -1
}

// SetNoDelay implements tuner.
func (s *fdStream) SetNoDelay(on bool) error { return socket.NoDelay(int(s.sysfd), on) }

// SetKeepAlive implements tuner.
func (s *fdStream) SetKeepAlive(d time.Duration) error { return socket.KeepAlive(int(s.sysfd), d) }

// LocalAddr implements [Stream]. It costs a system call, once.
func (s *fdStream) LocalAddr() net.Addr {
	if s.local == nil && s.sysfd >= 0 {
		s.local = socket.LocalAddr(int(s.sysfd))
	}
	return s.local
}

// RemoteAddr implements [Stream].
func (s *fdStream) RemoteAddr() net.Addr {
	if a, ok := s.remote.(*socket.AddrPort); ok {
		return net.TCPAddrFromAddrPort(netip.AddrPort(*a))
	}
	return s.remote
}
