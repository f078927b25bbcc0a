package sim

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio/aionet"
)

// An acceptor is a listening socket.
type acceptor struct {
	at *stack
	binding
	backlog   int
	shared    bool // with others on its address
	keepAlive time.Duration
	queue     []*stream // that nobody has accepted yet
	readable  func()
	closed    bool
}

var _ aionet.Acceptor = (*acceptor)(nil)

const (
	maxBacklog       = 4096             // of Linux
	defaultKeepAlive = 15 * time.Second // of aionet
)

// Listen implements [aionet.Network]. It does not wait.
func (n *Network) Listen(ctx context.Context, network, address string, lc *aionet.ListenConfig) (aionet.Acceptor, error) {
	if n.over {
		return nil, net.ErrClosed
	}
	at := n.here(ctx)
	l := &acceptor{at: at, shared: lc.ReusePort, backlog: maxBacklog}
	if lc.Backlog > 0 {
		l.backlog = lc.Backlog
	}
	l.keepAlive = max(cmp.Or(lc.KeepAlive, defaultKeepAlive), 0)
	var err error
	if network == "unix" {
		l.binding, err = at.bindPath(network, address)
	} else {
		l.binding, err = at.bindListener(network, address, lc.ReusePort)
	}
	if err != nil {
		return nil, err
	}
	at.add(l)
	return l, nil
}

// bindListener binds an address of TCP. Connections are in nobody's way: package net
// sets SO_REUSEADDR.
func (at *stack) bindListener(network, address string, reuse bool) (binding, error) {
	to, err := addrPort(network, address)
	if err != nil {
		return binding{}, err
	}
	return at.bind("tcp", to, func(s socket) bool {
		l, ok := s.(*acceptor)
		return !ok || reuse && l.shared
	})
}

// addrPort is the address of an IPv4 socket; without a host it is every address.
func addrPort(network, address string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := net.LookupPort(network, service)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ip := netip.IPv4Unspecified()
	if host != "" {
		if ip, err = netip.ParseAddr(host); err != nil {
			return netip.AddrPort{}, err
		}
	}
	if ip = ip.Unmap(); !ip.Is4() || network[len(network)-1] == '6' {
		return netip.AddrPort{}, sysError("socket", syscall.EAFNOSUPPORT)
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}

// Accept implements [aionet.Acceptor].
func (l *acceptor) Accept() (aionet.Stream, error) {
	switch {
	case l.closed:
		return nil, net.ErrClosed
	case len(l.queue) == 0:
		return nil, aionet.ErrWouldBlock
	}
	s := l.queue[0]
	l.queue = l.queue[1:]
	s.listener = nil
	return s, nil
}

// full reports whether clients are not heard, because too many wait: Linux lets one
// more wait than it was told.
func (l *acceptor) full() bool { return len(l.queue) > l.backlog }

// grant makes the other end of a client's connection.
func (l *acceptor) grant(client *stream) {
	b := l.binding
	b.addr = client.remote.addr
	s := newStream(l.at, client.at, b, client.binding)
	s.state, s.listener, s.peer, s.keepAlive = synReceived, l, client, l.keepAlive
	s.out.edge = client.in.room
	client.peer = s
	s.sendSYN(false)
}

// push adds a connection that can be accepted.
func (l *acceptor) push(s *stream) {
	l.queue = append(l.queue, s)
	wake(&l.readable)
}

// OnReadable implements [aionet.Notifier].
func (l *acceptor) OnReadable(call func()) {
	l.readable = call
	if len(l.queue) > 0 || l.closed {
		l.at.n.w.loop.CallSoon(func() { wake(&l.readable) })
	}
}

// OnWritable implements [aionet.Notifier].
func (l *acceptor) OnWritable(func()) {}

// Addr implements [aionet.Acceptor].
func (l *acceptor) Addr() net.Addr { return l.netAddr() }

// Close implements [aionet.Acceptor]. Connections that nobody has accepted are reset.
func (l *acceptor) Close() error {
	if l.closed {
		return nil
	}
	l.vanish()
	l.at.remove(l)
	for _, s := range l.waiting() {
		_ = s.Abort()
	}
	return nil
}

// waiting are the connections that nobody has accepted.
func (l *acceptor) waiting() (all []*stream) {
	for _, s := range l.at.sockets {
		if c, ok := s.(*stream); ok && c.listener == l && c.state != synSent {
			all = append(all, c)
		}
	}
	return all
}

// vanish implements socket.
func (l *acceptor) vanish() {
	l.closed = true
	if !l.at.n.over {
		wake(&l.readable)
	}
}

// bound implements socket.
func (l *acceptor) bound() binding { return l.binding }

// held implements socket.
func (l *acceptor) held() bool { return !l.closed }

// String implements socket.
func (l *acceptor) String() string { return l.binding.String() + " listening" }

// listenerOn is the listener that a client of the address reaches, or nil: of several
// that share it, any.
func (at *stack) listenerOn(to binding) *acceptor {
	var all []*acceptor
	for _, s := range at.sockets {
		if l, ok := s.(*acceptor); ok && l.reaches(to) {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[at.n.w.s.draw(len(all), "the listener that shares an address")]
}
