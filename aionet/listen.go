package aionet

import (
	"context"
	"net"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A ListenConfig says how to listen. Its zero value is ready.
type ListenConfig struct {
	// Backlog is how many connections may wait for Accept. Zero means as many as
	// the system allows.
	Backlog int

	// ReusePort lets several sockets, of this and other processes, listen on the
	// same address (SO_REUSEPORT): the system spreads connections among them. That
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
// or unix. The host is a literal; empty is every address of the machine, and port 0
// one that is free. The file of a Unix socket is removed when the listener is closed,
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
	a, err := h.network.Listen(ctx, network, address, lc)
	if err != nil {
		return nil, namedError("listen", network, address, err)
	}
	l := &Listener{hub: h, acceptor: a}
	l.wake = l.ready.Set
	return l, nil
}

// Accept waits for a connection. Cancelling ctx ends the wait, and takes none. On a
// listener that is closed it fails with an error that matches [net.ErrClosed].
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	for {
		if err := l.usable(ctx); err != nil {
			return nil, err
		}
		s, err := l.acceptor.Accept()
		if err == nil {
			return &Conn{link: newLink(l.hub, s)}, nil
		}
		if err != ErrWouldBlock {
			return nil, l.opError(err)
		}
		l.streak = 0
		l.ready.Clear()
		l.acceptor.OnReadable(l.wake)
		if err := l.ready.WaitAs(ctx, l); err != nil {
			return nil, err
		}
	}
}

func (l *Listener) usable(ctx context.Context) error {
	switch {
	case l.closed:
		return l.opError(net.ErrClosed)
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
		loop.CallSoon(func() { _ = l.close() })
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
