package sim

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// unreachable is how long it takes until it is known that nobody has an address.
const unreachable = 3 * time.Second

// Connect implements [aionet.Network]. It waits for the other host, as long as two
// minutes if that does not answer; cancelling ctx gives up.
func (n *Network) Connect(ctx context.Context, local, remote net.Addr) (aionet.Stream, error) {
	if n.over {
		return nil, net.ErrClosed
	}
	s, err := n.here(ctx).dial(local, remote)
	if err != nil {
		return nil, err
	}
	if s.there == nil {
		_ = s.Close()
		if err := asyncio.Sleep(ctx, unreachable); err != nil {
			return nil, err
		}
		return nil, sysError("connect", syscall.EHOSTUNREACH)
	}
	s.connected = asyncio.NewFuture[error](ctx)
	s.sendSYN(false)
	failed, err := s.connected.Await(ctx)
	if err == nil {
		err = failed
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// dial is the near end of a connection to remote, of which nothing was sent yet.
func (at *stack) dial(local, remote net.Addr) (*stream, error) {
	switch to := remote.(type) {
	case *net.UnixAddr:
		b := binding{network: "unix"}
		if u, ok := local.(*net.UnixAddr); ok && u != nil {
			b.path = u.Name
		}
		remote := binding{network: "unix", path: to.Name}
		if at.listenerOn(remote) == nil {
			return nil, sysError("connect", syscall.ENOENT)
		}
		return newStream(at, at, b, remote), nil
	case *net.TCPAddr:
		return at.dialTCP(local, to.AddrPort())
	}
	return nil, net.UnknownNetworkError(remote.Network())
}

func (at *stack) dialTCP(local net.Addr, remote netip.AddrPort) (*stream, error) {
	to := remote.Addr().Unmap()
	if !to.IsValid() || to == netip.IPv4Unspecified() {
		to = localhost
	}
	if !to.Is4() {
		return nil, sysError("connect", syscall.ENETUNREACH)
	}
	there, from := at.route(to)
	port := uint16(0)
	if a, ok := local.(*net.TCPAddr); ok && a != nil {
		port = a.AddrPort().Port()
		if wanted := a.AddrPort().Addr().Unmap(); wanted.IsValid() && !wanted.IsUnspecified() {
			from = wanted
		}
	}
	b, err := at.bind("tcp", netip.AddrPortFrom(from, port), nil)
	if err != nil {
		return nil, err
	}
	return newStream(at, there, b, binding{network: "tcp", addr: netip.AddrPortFrom(to, remote.Port())}), nil
}

// sendSYN asks for the connection, or grants it.
func (s *stream) sendSYN(again bool) {
	p := s.packet(PacketSYN)
	p.Again = again
	p.arrives = s.there.receiveSYN(s)
	if s.state == synReceived {
		p.arrives = func(*packet) { s.peer.granted() }
	}
	s.at.n.send(p)
}

// receiveSYN takes the request of a client.
func (at *stack) receiveSYN(client *stream) func(*packet) {
	return func(*packet) {
		if client.state != synSent {
			return
		}
		if child := client.peer; child != nil && child.state != dead {
			child.sendSYN(true)
			return
		}
		switch l := at.listenerOn(client.remote); {
		case l == nil:
			at.refuse(client)
		case l.full():
			client.stall() // as if it had been lost
		default:
			l.grant(client)
		}
	}
}

// refuse answers a client that nobody listens.
func (at *stack) refuse(client *stream) {
	p := &packet{
		Packet: Packet{Kind: PacketRST, From: client.remote.addr, To: client.addr},
		from:   at, to: client.at,
		arrives: func(*packet) { client.receiveReset() },
		lost:    client.stall, refuse: client.cutOff,
	}
	at.n.send(p)
}

// granted takes the other side's consent.
func (s *stream) granted() {
	switch s.state {
	case synSent:
		s.state = open
		s.out.edge, s.out.tries = s.peer.in.room, 0
		s.sendAck()
		s.connected.SetResult(nil)
	case open:
		s.sendAck()
	case dead:
		s.sendReset()
	}
}

// establish is called when the client of a listener is known to have heard of its
// consent.
func (s *stream) establish() {
	s.state, s.out.tries = open, 0
	if s.severed() || s.peer.state == dead { // since it was said
		s.suspect()
	}
	s.listener.push(s)
}

// later calls f when a packet that was sent now would arrive.
func (s *stream) later(f func()) {
	n := s.at.n
	n.w.callLater(n.spanBetween(s.at, s.there).min, func() {
		if !n.blocked(s.there, s.at) {
			f()
		}
	})
}
