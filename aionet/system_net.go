//go:build !unix || asyncio_netonly

package aionet

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/list"
)

// system is the system's network where the loop has no poller for it: package net's, with
// a goroutine for each operation that waits. It costs more of everything.
type system struct {
	loop *asyncio.Loop
	open *list.List[goSocket]
}

func systemNetwork(l *asyncio.Loop) Network {
	n := system{l, &list.List[goSocket]{}}
	l.OnClose(func() {
		for s := n.open.Front(); s != nil; s = n.open.Front() {
			s.close()
		}
	})
	return n
}

// A goSocket is something of package net that belongs to the loop.
type goSocket struct {
	loop  *asyncio.Loop
	node  list.Node[goSocket]
	close func()
}

func (n system) add(s *goSocket, end func() error) {
	s.loop = n.loop
	s.close = func() {
		s.node.Remove()
		_ = end()
	}
	n.open.PushBack(&s.node, s)
}

// Connect implements [Network].
func (n system) Connect(ctx context.Context, local, remote net.Addr) (Stream, error) {
	d := net.Dialer{LocalAddr: local, KeepAlive: -1}
	c, err := asyncio.Blocking(ctx, func(ctx context.Context) (net.Conn, error) {
		return d.DialContext(undated{ctx}, remote.Network(), remote.String())
	})
	switch {
	case err == nil:
		return n.stream(c), nil
	case ctx.Err() != nil: // which package net calls a timeout
		return nil, asyncio.Yield(ctx)
	}
	return nil, err
}

// Listen implements [Network].
func (n system) Listen(ctx context.Context, network, address string, lc *ListenConfig) (Acceptor, error) {
	if lc.ReusePort {
		return nil, &net.OpError{Op: "listen", Net: network, Err: errNotHere}
	}
	config := net.ListenConfig{KeepAlive: -1}
	l, err := config.Listen(ctx, network, address)
	if err != nil && isInUse(err) && network == "unix" && removeStale(network, address) {
		l, err = config.Listen(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	a := &goAcceptor{network: n, listener: l, keepAlive: lc.keepAlive()}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
		a.file = fileOfSocket(address)
	}
	n.add(&a.goSocket, a.end)
	return a, nil
}

// isInUse reports whether the address is in use.
func isInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// A goAcceptor accepts one connection ahead.
type goAcceptor struct {
	goSocket
	network   system
	listener  net.Listener
	keepAlive time.Duration
	file      socketFile
	next      arrival[net.Conn]

	mu    sync.Mutex
	ahead net.Conn // accepted by the goroutine, and not taken
	over  bool
}

// Accept implements [Acceptor].
func (a *goAcceptor) Accept() (Stream, error) {
	c, err := a.next.take()
	if err != nil {
		a.next.here = errors.Is(err, net.ErrClosed) // other errors pass
		return nil, err
	}
	a.mu.Lock()
	a.ahead = nil
	a.mu.Unlock()
	s := a.network.stream(c)
	_ = s.SetKeepAlive(a.keepAlive) // of TCP
	return s, nil
}

// OnReadable implements [Notifier].
func (a *goAcceptor) OnReadable(call func()) { a.next.expect(a.loop, call, a.wait) }

// wait accepts, on a goroutine.
func (a *goAcceptor) wait() (net.Conn, error) {
	c, err := a.listener.Accept()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	a.ahead = c
	return c, nil
}

// end closes the socket, and what nobody has taken.
func (a *goAcceptor) end() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	if a.ahead != nil {
		_ = a.ahead.Close()
	}
	err := a.listener.Close()
	a.file.remove()
	return err
}

// OnWritable implements [Notifier].
func (a *goAcceptor) OnWritable(func()) {}

// Addr implements [Acceptor].
func (a *goAcceptor) Addr() net.Addr { return a.listener.Addr() }

// Close implements [Acceptor].
func (a *goAcceptor) Close() error {
	a.close()
	return nil
}
