//go:build !unix || asyncio_netonly

package aionet

import (
	"context"
	"net"
	"net/netip"

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
	l, err := (&net.ListenConfig{KeepAlive: lc.keepAlive()}).Listen(ctx, network, address)
	if err != nil {
		return nil, err
	}
	a := &goAcceptor{network: n, listener: l}
	n.add(&a.goSocket, l.Close)
	return a, nil
}

// Lookup implements [Network].
func (n system) Lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return lookup(ctx, net.DefaultResolver, network, host)
}

// A goAcceptor accepts one connection ahead.
type goAcceptor struct {
	goSocket
	network  system
	listener net.Listener
	next     arrival[net.Conn]
}

// Accept implements [Acceptor].
func (a *goAcceptor) Accept() (Stream, error) {
	c, err := a.next.take()
	if err != nil {
		return nil, err
	}
	return a.network.stream(c), nil
}

// OnReadable implements [Notifier].
func (a *goAcceptor) OnReadable(call func()) { a.next.expect(a.loop, call, a.listener.Accept) }

// OnWritable implements [Notifier].
func (a *goAcceptor) OnWritable(func()) {}

// Addr implements [Acceptor].
func (a *goAcceptor) Addr() net.Addr { return a.listener.Addr() }

// Close implements [Acceptor].
func (a *goAcceptor) Close() error {
	a.close()
	if c, err := a.next.take(); err == nil {
		_ = c.Close()
	}
	return nil
}
