package aionet

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// A PacketConn sends and receives datagrams. It is a [net.PacketConn], and a
// [net.Conn] if it was dialled; cancellation, deadlines and goroutines are as for a
// [Conn]. One task reads at a time; any may write. What becomes of datagrams is up to
// the network: a Write that succeeds says that the system has taken one.
type PacketConn struct {
	*packets
	ctx context.Context // of a view; nil where the calling task's scope counts
}

var (
	_ net.PacketConn = (*PacketConn)(nil)
	_ net.Conn       = (*PacketConn)(nil)
)

// packets is what the views of a PacketConn share.
type packets struct {
	hub     *hub
	socket  Packets
	remote  net.Addr
	in, out side
	busy    bool
	closed  bool
}

// ListenPacket opens a socket for datagrams on the address: host:port of the network
// udp, udp4 or udp6, or a path of unixgram. An empty host is every address of the
// machine, and port 0 one that is free. The file of a Unix socket is removed when the
// socket is closed, and one that a dead process has left behind is replaced.
func ListenPacket(ctx context.Context, network, address string) (*PacketConn, error) {
	return openPackets(ctx, "listen", network, address)
}

// DialPacket opens a socket for datagrams that sends to the address, and receives
// from it alone. Of a name, it is the first address that there is a way to. That nobody
// listens there, a later Read or Write tells, if the system learns of it.
func DialPacket(ctx context.Context, network, address string) (*PacketConn, error) {
	return openPackets(ctx, "dial", network, address)
}

func openPackets(ctx context.Context, op, network, address string) (*PacketConn, error) {
	h, err := hubOf(ctx)
	if err != nil {
		return nil, err
	}
	p := &packets{hub: h}
	p.in.wake, p.out.wake = p.in.ready.Set, p.out.ready.Set
	addrs := []net.Addr{nil}
	if address != "" || op == "dial" {
		addrs, err = packetAddrs(ctx, h, network, address)
	}
	for _, addr := range addrs { // of a name, the first that works
		if op == "dial" {
			p.socket, err = h.network.ListenPacket(ctx, network, nil, addr)
			p.remote = addr
		} else {
			p.socket, err = h.network.ListenPacket(ctx, network, addr, nil)
		}
		if err == nil {
			return &PacketConn{packets: p}, nil
		}
	}
	return nil, namedError(op, network, address, err)
}

// packetAddrs is the addresses for datagrams that an address stands for.
func packetAddrs(ctx context.Context, h *hub, network, address string) ([]net.Addr, error) {
	switch network {
	case "unixgram":
		return []net.Addr{&net.UnixAddr{Net: network, Name: address}}, nil
	case "udp", "udp4", "udp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := net.LookupPort(network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return []net.Addr{&net.UDPAddr{Port: port}}, nil
	}
	ips, err := h.network.Lookup(ctx, "ip"+network[len("udp"):], host)
	if err != nil {
		return nil, err
	}
	addrs := make([]net.Addr, len(ips))
	for i, ip := range ips {
		addrs[i] = net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port)))
	}
	return addrs, nil
}

// In is the same socket as seen by somebody whose operations obey ctx.
func (c *PacketConn) In(ctx context.Context) *PacketConn { return &PacketConn{c.packets, ctx} }

// ReadFrom waits for a datagram and says whose it is. What does not fit into p is lost.
func (c *PacketConn) ReadFrom(p []byte) (n int, from net.Addr, err error) {
	ctx, err := obeyed(c.hub.loop, c.ctx)
	if err == nil && c.busy {
		err = errBusy
	}
	if err != nil {
		return 0, nil, c.opError("read", nil, err)
	}
	c.busy = true
	defer func() { c.busy = false }()
	for {
		if err := c.usable(ctx, &c.in); err != nil {
			return 0, nil, c.opError("read", nil, err)
		}
		n, from, err := c.socket.ReadFrom(p)
		if err != ErrWouldBlock {
			return n, from, c.opError("read", nil, err)
		}
		if err := c.await(ctx, &c.in, c.socket.OnReadable); err != nil {
			return 0, nil, err
		}
	}
}

// WriteTo sends a datagram, and waits while the system has no room for it. It is for
// sockets that were not dialled.
func (c *PacketConn) WriteTo(p []byte, to net.Addr) (int, error) {
	if c.remote != nil {
		return 0, c.opError("write", to, net.ErrWriteToConnected)
	}
	return c.send(p, to)
}

// send sends a datagram to the given address, or to that which was dialled.
func (c *PacketConn) send(p []byte, to net.Addr) (int, error) {
	ctx, err := obeyed(c.hub.loop, c.ctx)
	if err != nil {
		return 0, c.opError("write", to, err)
	}
	for {
		if err := c.usable(ctx, &c.out); err != nil {
			return 0, c.opError("write", to, err)
		}
		err := c.socket.WriteTo(p, to)
		if err == nil {
			return len(p), nil
		}
		if err != ErrWouldBlock {
			return 0, c.opError("write", to, err)
		}
		if err := c.await(ctx, &c.out, c.socket.OnWritable); err != nil {
			return 0, err
		}
	}
}

// Read is ReadFrom where it is known whose datagrams come.
func (c *PacketConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	return n, err
}

// Write sends a datagram to the address that was dialled.
func (c *PacketConn) Write(p []byte) (int, error) { return c.send(p, nil) }

func (p *packets) usable(ctx context.Context, s *side) error {
	if p.closed {
		return net.ErrClosed
	}
	return s.usable(ctx)
}

func (p *packets) await(ctx context.Context, s *side, on func(func())) error {
	s.streak = 0
	s.ready.Clear()
	on(s.wake)
	return s.ready.WaitAs(ctx, p)
}

// String names the socket in messages.
func (p *packets) String() string { return "<PacketConn " + p.LocalAddr().String() + ">" }

// LocalAddr is the near end's address.
func (p *packets) LocalAddr() net.Addr { return p.socket.LocalAddr() }

// RemoteAddr is the address that a dialled socket sends to, and nil otherwise.
func (p *packets) RemoteAddr() net.Addr { return p.remote }

// SetDeadline is [Conn.SetDeadline].
func (p *packets) SetDeadline(t time.Time) error { return p.setDeadline(t, &p.in, &p.out) }

// SetReadDeadline is [Conn.SetReadDeadline].
func (p *packets) SetReadDeadline(t time.Time) error { return p.setDeadline(t, &p.in) }

// SetWriteDeadline is [Conn.SetWriteDeadline].
func (p *packets) SetWriteDeadline(t time.Time) error { return p.setDeadline(t, &p.out) }

func (p *packets) setDeadline(t time.Time, sides ...*side) error {
	onLoop(p.hub.loop, func() {
		for _, s := range sides {
			if !p.closed {
				s.setDeadline(p.hub.loop, t)
			}
		}
	})
	return nil
}

// Close closes the socket. Whoever waits fails with an error that matches
// [net.ErrClosed].
func (p *packets) Close() error {
	onLoop(p.hub.loop, func() {
		if p.closed {
			return
		}
		p.closed = true
		p.in.end()
		p.out.end()
		_ = p.socket.Close()
	})
	return nil
}

func (p *packets) opError(op string, to net.Addr, err error) error {
	if err == nil || isCancellation(err) {
		return err
	}
	if to == nil {
		to = p.remote
	}
	local := p.LocalAddr()
	return &net.OpError{Op: op, Net: local.Network(), Source: local, Addr: to, Err: err}
}
