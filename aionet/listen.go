package aionet

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A ListenConfig says how to listen. Its zero value is ready.
type ListenConfig struct {
	// Backlog is how many connections may wait for Accept. Zero means as many as
	// the system allows; where the network is package net's, it always is.
	Backlog int

	// ReusePort lets several sockets, of this and other processes, listen on the
	// same address (SO_REUSEPORT): the system spreads connections among them, where
	// it is not package net's network, which fails. That
	// an address can be used again at once after a server has ended
	// (SO_REUSEADDR) needs no option.
	ReusePort bool

	// KeepAlive is how long an accepted TCP connection may be idle before the
	// system probes it. Zero means 15 s, negative never.
	KeepAlive time.Duration
}

func (lc *ListenConfig) keepAlive() time.Duration { return keepAlive(lc.KeepAlive) }

// A Listener accepts connections. It belongs to its loop, which closes it at the
// latest when it is closed itself; Close is safe to call from any goroutine.
type Listener struct {
	hub      *hub
	acceptor Acceptor
	ready    asyncio.Event
	wake     func()
	streak   int // connections that did not have to be waited for, in a row
	closed   bool
}

// Listen listens on the address, host:port or a path, of the network tcp, tcp4, tcp6
// or unix. An empty host is every address of the machine; of a name the first address
// counts, of IPv4 if there is one. Port 0 is one that is free. The file of a Unix socket is removed when the listener is closed,
// and one that a dead process has left behind is replaced.
func Listen(ctx context.Context, network, address string) (*Listener, error) {
	return new(ListenConfig).Listen(ctx, network, address)
}

// Listen is [Listen] with the options of lc.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (*Listener, error) {
	h, err := hubOf(ctx)
	if err != nil {
		return nil, err
	}
	switch network {
	case "tcp", "tcp4", "tcp6", "unix":
	default:
		return nil, namedError("listen", network, address, net.UnknownNetworkError(network))
	}
	literal, err := withoutName(ctx, h, network, address)
	if err != nil {
		return nil, namedError("listen", network, address, err)
	}
	a, err := h.network.Listen(ctx, network, literal, lc)
	if err != nil {
		return nil, namedError("listen", network, address, err)
	}
	l := &Listener{hub: h, acceptor: a}
	l.wake = l.ready.Set
	return l, nil
}

// withoutName is the address with a literal in place of a host's name: the system would
// block the loop to find it.
func withoutName(ctx context.Context, h *hub, network, address string) (string, error) {
	if network == "unix" {
		return address, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return address, err
	}
	ips, err := h.network.Lookup(ctx, strings.Replace(network, "tcp", "ip", 1), host)
	if err != nil {
		return "", err
	}
	best := slices.IndexFunc(ips, func(ip netip.Addr) bool { return ip.Unmap().Is4() })
	if len(ips) == 0 {
		return "", errNoAddress
	}
	return net.JoinHostPort(ips[max(best, 0)].String(), port), nil
}

// Accept waits for a connection. Cancelling ctx ends the wait, and takes none. On a
// listener that is closed it fails with an error that matches [net.ErrClosed].
func (l *Listener) Accept(ctx context.Context) (*Conn, error) { return l.accept(ctx, nil) }

// accept is Accept of somebody who takes connections only while room says so, if it is
// not nil; l.ready is set when that changes.
func (l *Listener) accept(ctx context.Context, room func() bool) (*Conn, error) {
	for {
		if err := l.usable(ctx); err != nil {
			return nil, err
		}
		s, err := l.tryAccept(room)
		switch err {
		case nil:
			return &Conn{link: newLink(l.hub, s)}, nil
		case ErrWouldBlock:
		default:
			return nil, l.opError(err)
		}
		l.streak = 0
		if err := l.ready.WaitAs(ctx, l); err != nil {
			return nil, err
		}
	}
}

func (l *Listener) tryAccept(room func() bool) (Stream, error) {
	l.ready.Clear()
	if room != nil && !room() {
		return nil, ErrWouldBlock
	}
	s, err := l.acceptor.Accept()
	if err == ErrWouldBlock {
		l.acceptor.OnReadable(l.wake)
	}
	return s, err
}

func (l *Listener) usable(ctx context.Context) error {
	_, err := obeyed(l.hub.loop, ctx)
	if l.closed {
		err = net.ErrClosed
	}
	switch {
	case err != nil:
		return l.opError(err)
	case ctx.Err() != nil:
		return asyncio.Yield(ctx)
	case l.streak >= maxStreak:
		l.streak = 0
		return asyncio.Yield(ctx)
	}
	l.streak++
	return nil
}

func (l *Listener) opError(err error) error {
	return &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: err}
}

// Addr is the address that the listener listens on.
func (l *Listener) Addr() net.Addr { return l.acceptor.Addr() }

// String names the listener in messages.
func (l *Listener) String() string {
	return "connections to " + l.Addr().Network() + " " + l.Addr().String()
}

// Close stops listening. Whoever waits in Accept fails. Connections that were accepted
// stay open. Closing it twice does nothing.
func (l *Listener) Close() error {
	if loop := l.hub.loop; !loop.Owned() {
		onLoop(loop, func() { _ = l.close() })
		return nil
	}
	return l.close()
}

func (l *Listener) close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	l.ready.Set()
	return l.acceptor.Close()
}
