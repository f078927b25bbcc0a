//go:build unix && !asyncio_netonly

package aionet

import (
	"context"
	"errors"
	"net"
	"syscall"

	"github.com/asyncio-go/asyncio/internal/socket"
	"golang.org/x/sys/unix"
)

// Listen implements [Network]. Package net makes the socket; the loop uses a duplicate.
func (n system) Listen(ctx context.Context, network, address string, lc *ListenConfig) (Acceptor, error) {
	l, err := bind(ctx, network, address, lc)
	if errors.Is(err, unix.EADDRINUSE) && isUnix(network) && removeStale(network, address) {
		l, err = bind(ctx, network, address, lc)
	}
	if err != nil {
		return nil, err
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	defer l.Close()
	fd, err := duplicate(l.(syscall.Conn))
	if err != nil {
		return nil, err
	}
	a := &fdAcceptor{network: n, fdStream: fdStream{sysfd: int32(fd), local: l.Addr()}}
	if isUnix(network) {
		a.file = fileOfSocket(address)
	}
	if lc.Backlog > 0 {
		err = socket.Listen(fd, lc.Backlog)
	}
	if err == nil && !isUnix(network) { // connections inherit both
		if err = a.SetNoDelay(true); err == nil {
			err = a.SetKeepAlive(lc.keepAlive())
		}
	}
	if err == nil {
		err = a.register(n.loop, fd)
	}
	if err != nil {
		_ = socket.Close(fd)
		return nil, err
	}
	a.fd.OnClose(a.release)
	return a, nil
}

func isUnix(network string) bool { return network == "unix" }

func bind(ctx context.Context, network, address string, lc *ListenConfig) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, c syscall.RawConn) error {
		if !lc.ReusePort {
			return nil
		}
		var err error
		if failed := c.Control(func(fd uintptr) { err = socket.ReusePort(int(fd)) }); failed != nil {
			return failed
		}
		return err
	}}
	return config.Listen(ctx, network, address)
}

func duplicate(c syscall.Conn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	if failed := raw.Control(func(sys uintptr) { fd, err = socket.Duplicate(int(sys)) }); failed != nil {
		return -1, failed
	}
	return fd, err
}

// An fdAcceptor is a listening socket.
type fdAcceptor struct {
	network system
	fdStream
	file socketFile

	// next has been accepted, and the loop could not register it yet.
	next struct {
		fd   int
		from net.Addr // nil if there is none
	}
}

// Accept implements [Acceptor].
func (a *fdAcceptor) Accept() (Stream, error) {
	if a.sysfd < 0 {
		return nil, net.ErrClosed
	}
	if a.next.from == nil {
		fd, from, err := socket.Accept(int(a.sysfd))
		if err != nil {
			return nil, err
		}
		a.next.fd, a.next.from = fd, from
	}
	s, err := a.network.stream(a.next.fd, a.next.from)
	if err != nil {
		return nil, err
	}
	a.next.from = nil
	return s, nil
}

// Addr implements [Acceptor].
func (a *fdAcceptor) Addr() net.Addr { return a.local }

// release closes the socket and removes its file.
func (a *fdAcceptor) release() {
	if a.next.from != nil {
		_ = socket.Close(a.next.fd)
	}
	a.fdStream.release()
	a.file.remove()
}
