package aionet

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// A PacketConn sends and receives datagrams. It is a [net.PacketConn], and a
// [net.Conn] if it was dialled; cancellation, deadlines and goroutines are as for a
// [Conn]. One task reads at a time; any may write.
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
// udp, udp4 or udp6, or a path of unixgram.
func ListenPacket(ctx context.Context, network, address string) (*PacketConn, error) {
	return openPackets(ctx, "listen", network, address, "")
}

// DialPacket opens a socket for datagrams that sends to the address, and receives
// from it alone. The host may be a name.
func DialPacket(ctx context.Context, network, address string) (*PacketConn, error) {
	return openPackets(ctx, "dial", network, "", address)
}

func openPackets(ctx context.Context, op, network, local, remote string) (*PacketConn, error) {
	h, err := hubOf(ctx)
	if err != nil {
		return nil, err
	}
	p := &packets{hub: h}
	var from net.Addr
	if from, err = packetAddr(ctx, h, network, local); err == nil {
		p.remote, err = packetAddr(ctx, h, network, remote)
	}
	if err == nil {
		p.socket, err = h.network.ListenPacket(ctx, network, from, p.remote)
	}
	if err != nil {
		return nil, namedError(op, network, local+remote, err)
	}
	p.in.wake, p.out.wake = p.in.ready.Set, p.out.ready.Set
	return &PacketConn{packets: p}, nil
}

// packetAddr is an address for datagrams; empty is nil.
func packetAddr(ctx context.Context, h *hub, network, address string) (net.Addr, error) {
	if address == "" {
		return nil, nil
	}
	switch network {
	case "unixgram":
		return &net.UnixAddr{Net: network, Name: address}, nil
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
		return &net.UDPAddr{Port: port}, nil
	}
	ips, err := h.network.Lookup(ctx, "ip"+network[len("udp"):], host)
	if err != nil {
		return nil, err
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(ips[0], uint16(port))), nil
}

// In is the same socket as seen by somebody whose operations obey ctx.
func (c *PacketConn) In(ctx context.Context) *PacketConn { return &PacketConn{c.packets, ctx} }

func (c *PacketConn) context() context.Context {
	if c.ctx != nil {
		return c.ctx
	}
	return c.hub.loop.Context()
}

// ReadFrom waits for a datagram and says whose it is. What does not fit into p is lost.
func (c *PacketConn) ReadFrom(p []byte) (n int, from net.Addr, err error) {
	if c.busy {
		return 0, nil, c.opError("read", ErrBusy)
	}
	c.busy = true
	defer func() { c.busy = false }()
	ctx := c.context()
	for {
		if err := c.usable(ctx, &c.in); err != nil {
			return 0, nil, c.opError("read", err)
		}
		n, from, err := c.socket.ReadFrom(p)
		if err != ErrWouldBlock {
			return n, from, c.opError("read", err)
		}
		if err := c.await(ctx, &c.in, c.socket.OnReadable); err != nil {
			return 0, nil, err
		}
	}
}

// WriteTo sends a datagram, and waits while the system has no room for it.
func (c *PacketConn) WriteTo(p []byte, to net.Addr) (int, error) {
	ctx := c.context()
	for {
		if err := c.usable(ctx, &c.out); err != nil {
			return 0, c.opError("write", err)
		}
		err := c.socket.WriteTo(p, to)
		if err == nil {
			return len(p), nil
		}
		if err != ErrWouldBlock {
			return 0, c.opError("write", err)
		}
		if err := c.await(ctx, &c.out, c.socket.OnWritable); err != nil {
			return 0, err
		}
	}
}

// Read is ReadFrom of a socket that was dialled.
func (c *PacketConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	return n, err
}

// Write is WriteTo of a socket that was dialled.
func (c *PacketConn) Write(p []byte) (int, error) { return c.WriteTo(p, nil) }

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
			s.setDeadline(p.hub.loop, t)
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

func (p *packets) opError(op string, err error) error {
	if err == nil || isCancellation(err) {
		return err
	}
	local := p.LocalAddr()
	return &net.OpError{Op: op, Net: local.Network(), Source: local, Addr: p.remote, Err: err}
}
