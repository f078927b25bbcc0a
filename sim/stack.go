package sim

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// A stack is the network as one host has it: an address, and sockets.
type stack struct {
	n       *Network
	host    *Host // nil of the tasks that are on none
	addr    netip.Addr
	sockets []socket // in the order in which they were opened
	port    uint16   // the last that was given to somebody who asked for any
	boots   int      // how often it has crashed; packets know of which life they are
}

// A socket is something on a host that packets can reach.
type socket interface {
	bound() binding
	held() bool // by a program
	vanish()    // without telling the other side
	String() string
}

// A binding is what a socket takes of its host's addresses.
type binding struct {
	network string // tcp, udp, unix or unixgram
	addr    netip.AddrPort
	path    string // of unix and unixgram
}

// The ports that a host gives to those who ask for any: Linux's range.
const (
	firstPort = 32768
	lastPort  = 60999
)

var (
	worldAddr = netip.AddrFrom4([4]byte{10, 1, 0, 1}) // hosts are in 10.0.0.0/16
	localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})
)

// here is the stack of the host that the task of ctx runs on.
func (n *Network) here(ctx context.Context) *stack { return n.stackOf(hostOf(ctx)) }

// stackOf is the stack of a host, or with nil that of the world.
func (n *Network) stackOf(h *Host) *stack {
	for _, at := range n.stacks {
		if at.host == h {
			return at
		}
	}
	if len(n.stacks) == 0 && n.w.loop != nil {
		n.w.loop.OnClose(n.close)
	}
	at := &stack{n: n, host: h, addr: worldAddr, port: firstPort - 1}
	if h != nil {
		at.addr = h.addr
	}
	n.stacks = append(n.stacks, at)
	return at
}

func (at *stack) name() string {
	if at.host == nil {
		return "world"
	}
	return at.host.name
}

// route is the stack that packets to an address go to, or nil, and the address under
// which the sender is seen there.
func (at *stack) route(to netip.Addr) (*stack, netip.Addr) {
	to = to.Unmap()
	switch {
	case to.IsLoopback() && to.Is4():
		return at, to
	case to == worldAddr:
		return at.n.stackOf(nil), at.addr
	}
	for _, h := range at.n.w.hosts {
		if h.addr == to {
			return at.n.stackOf(h), at.addr
		}
	}
	return nil, at.addr
}

// owns reports whether a socket can be bound to the address.
func (at *stack) owns(a netip.Addr) bool {
	return a == at.addr || a.Is4() && (a.IsLoopback() || a.IsUnspecified())
}

// bind is the binding for a socket that wants the address, of which the port may be
// zero. Several that share allow it may have the same.
func (at *stack) bind(network string, a netip.AddrPort, shared func(socket) bool) (binding, error) {
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	if !at.owns(a.Addr()) {
		return binding{}, sysError("bind", syscall.EADDRNOTAVAIL)
	}
	b := binding{network: network, addr: a}
	if a.Port() != 0 {
		if at.taken(b, shared) {
			return binding{}, sysError("bind", syscall.EADDRINUSE)
		}
		return b, nil
	}
	for range lastPort - firstPort + 1 {
		if at.port++; at.port > lastPort || at.port < firstPort {
			at.port = firstPort
		}
		b.addr = netip.AddrPortFrom(a.Addr(), at.port)
		if !at.taken(b, nil) {
			return b, nil
		}
	}
	return binding{}, sysError("bind", syscall.EADDRINUSE)
}

// bindPath is the binding for a Unix socket.
func (at *stack) bindPath(network, path string) (binding, error) {
	b := binding{network: network, path: path}
	if at.taken(b, nil) {
		return binding{}, sysError("bind", syscall.EADDRINUSE)
	}
	return b, nil
}

// taken reports whether a socket is in the way of the binding.
func (at *stack) taken(b binding, shared func(socket) bool) bool {
	return slices.ContainsFunc(at.sockets, func(s socket) bool {
		return s.bound().meets(b) && (shared == nil || !shared(s))
	})
}

// meets reports whether two sockets cannot have the bindings at the same time.
func (b binding) meets(o binding) bool {
	if b.network != o.network || b.path != o.path || b.addr.Port() != o.addr.Port() {
		return false
	}
	x, y := b.addr.Addr(), o.addr.Addr()
	return x == y || x.IsUnspecified() || y.IsUnspecified()
}

// reaches reports whether a packet to the address is for a socket with the binding.
func (b binding) reaches(to binding) bool {
	return b.network == to.network && b.path == to.path && b.addr.Port() == to.addr.Port() &&
		(b.addr.Addr() == to.addr.Addr() || b.addr.Addr().IsUnspecified())
}

// netAddr is the binding as programs see it.
func (b binding) netAddr() net.Addr {
	switch b.network {
	case "tcp":
		return net.TCPAddrFromAddrPort(b.addr)
	case "udp":
		return net.UDPAddrFromAddrPort(b.addr)
	}
	return &net.UnixAddr{Net: b.network, Name: b.path}
}

// name is the address as a text.
func (b binding) name() string {
	switch {
	case b.addr.IsValid():
		return b.addr.String()
	case b.path == "":
		return "(unnamed)"
	}
	return b.path
}

// String is the binding with its network.
func (b binding) String() string { return b.network + " " + b.name() }

func (at *stack) add(s socket) { at.sockets = append(at.sockets, s) }

func (at *stack) remove(s socket) {
	if i := slices.Index(at.sockets, s); i >= 0 {
		at.sockets = slices.Delete(at.sockets, i, i+1)
	}
}

// vanish ends all sockets, and returns them.
func (at *stack) vanish() []socket {
	all := at.sockets
	at.sockets = nil
	for _, s := range all {
		s.vanish()
	}
	return all
}
