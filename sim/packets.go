package sim

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio/aionet"
)

// The limits of Linux: of a datagram, and of what waits to be read.
const (
	maxDatagram  = 65507
	maxWaiting   = 212992 // bytes, of UDP; what comes then is lost
	maxUnixgrams = 10     // datagrams, of a Unix socket; who sends then waits
	maxUnixgram  = 212960
)

// A packetSocket is a socket for datagrams.
type packetSocket struct {
	at *stack
	binding
	remote   *binding // that alone is spoken to, or nil
	queue    []datagram
	size     int // of what is in the queue
	refused  bool
	readable func()
	full     *packetSocket // that had no room for what was to be sent
	waiting  []func()      // for room in the queue
	order    time.Duration // when the last datagram that was sent arrives
	closed   bool
}

var _ aionet.Packets = (*packetSocket)(nil)

type datagram struct {
	data []byte
	from binding
}

// ListenPacket implements [aionet.Network]. It does not wait.
func (n *Network) ListenPacket(ctx context.Context, network string, local, remote net.Addr) (aionet.Packets, error) {
	if n.over {
		return nil, net.ErrClosed
	}
	at := n.here(ctx)
	s := &packetSocket{at: at}
	var err error
	if network == "unixgram" {
		err = s.openUnix(local, remote)
	} else {
		err = s.openUDP(network, local, remote)
	}
	if err != nil {
		return nil, err
	}
	at.add(s)
	return s, nil
}

func (s *packetSocket) openUnix(local, remote net.Addr) (err error) {
	s.binding = binding{network: "unixgram"}
	if a, ok := local.(*net.UnixAddr); ok && a != nil {
		if s.binding, err = s.at.bindPath("unixgram", a.Name); err != nil {
			return err
		}
	}
	if a, ok := remote.(*net.UnixAddr); ok && a != nil {
		s.remote = &binding{network: "unixgram", path: a.Name}
		if s.at.packetSocketFor(*s.remote, s.binding) == nil {
			return sysError("connect", syscall.ENOENT)
		}
	}
	return nil
}

func (s *packetSocket) openUDP(network string, local, remote net.Addr) (err error) {
	from := netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	if a, ok := remote.(*net.UDPAddr); ok && a != nil {
		to, err := udpAddress(a)
		if err != nil {
			return sysError("connect", err.(syscall.Errno))
		}
		s.remote = &binding{network: "udp", addr: to}
		_, seen := s.at.route(to.Addr())
		from = netip.AddrPortFrom(seen, 0)
	}
	if a, ok := local.(*net.UDPAddr); ok && a != nil {
		if a.IP != nil {
			if from = a.AddrPort(); !from.Addr().Unmap().Is4() || network == "udp6" {
				return sysError("socket", syscall.EAFNOSUPPORT)
			}
		} else {
			from = netip.AddrPortFrom(from.Addr(), uint16(a.Port))
		}
	}
	s.binding, err = s.at.bind("udp", from, nil)
	return err
}

// udpAddress is where a datagram to a goes; its error is a syscall.Errno.
func udpAddress(a *net.UDPAddr) (netip.AddrPort, error) {
	to := a.AddrPort()
	ip := to.Addr().Unmap()
	switch {
	case !ip.IsValid() || ip == netip.IPv4Unspecified():
		ip = localhost
	case !ip.Is4():
		return netip.AddrPort{}, syscall.ENETUNREACH
	}
	return netip.AddrPortFrom(ip, to.Port()), nil
}

// ReadFrom implements [aionet.Packets].
func (s *packetSocket) ReadFrom(p []byte) (int, net.Addr, error) {
	switch {
	case s.closed:
		return 0, nil, net.ErrClosed
	case s.refused:
		s.refused = false
		return 0, nil, sysError("recvfrom", syscall.ECONNREFUSED)
	case len(s.queue) == 0:
		return 0, nil, aionet.ErrWouldBlock
	}
	d := s.queue[0]
	s.queue, s.size = s.queue[1:], s.size-len(d.data)
	s.giveRoom()
	return copy(p, d.data), d.from.netAddr(), nil
}

// WriteTo implements [aionet.Packets].
func (s *packetSocket) WriteTo(p []byte, to net.Addr) error {
	switch {
	case s.closed:
		return net.ErrClosed
	case s.refused:
		s.refused = false
		return sysError("sendto", syscall.ECONNREFUSED)
	}
	var dest binding
	switch a := to.(type) {
	case nil:
		if s.remote == nil {
			return sysError("sendto", syscall.EDESTADDRREQ)
		}
		dest = *s.remote
	case *net.UnixAddr:
		dest = binding{network: "unixgram", path: a.Name}
	case *net.UDPAddr:
		ap, err := udpAddress(a)
		if err != nil {
			return sysError("sendto", err.(syscall.Errno))
		}
		dest = binding{network: "udp", addr: ap}
	}
	if dest.network != s.network {
		return sysError("sendto", syscall.EAFNOSUPPORT)
	}
	if s.network == "unixgram" {
		return s.sendUnix(p, dest)
	}
	return s.sendUDP(p, dest)
}

func (s *packetSocket) sendUDP(data []byte, to binding) error {
	if len(data) > maxDatagram {
		return sysError("sendto", syscall.EMSGSIZE)
	}
	there, seen := s.at.route(to.addr.Addr())
	if there == nil {
		return nil // lost on the way
	}
	from := s.binding
	if from.addr.Addr().IsUnspecified() {
		from.addr = netip.AddrPortFrom(seen, from.addr.Port())
	}
	s.at.n.send(&packet{
		Packet: Packet{Kind: Datagram, From: from.addr, To: to.addr, Data: slices.Clone(data)},
		from:   s.at, to: there, order: &s.order,
		arrives: func(p *packet) { there.receiveDatagram(p, s) },
		refuse:  s.beRefused,
	})
	return nil
}

// receiveDatagram hands a datagram to its socket. That there is none, the sender learns
// if it speaks to this address alone.
func (at *stack) receiveDatagram(p *packet, sender *packetSocket) {
	from := binding{network: "udp", addr: p.From}
	to := at.packetSocketFor(binding{network: "udp", addr: p.To}, from)
	if to == nil {
		sender.beRefused()
		return
	}
	if to.size+len(p.Data) <= maxWaiting {
		to.take(datagram{p.Data, from})
	}
}

func (s *packetSocket) take(d datagram) {
	s.queue, s.size = append(s.queue, d), s.size+len(d.data)
	wake(&s.readable)
}

// beRefused has a socket that speaks to one address alone hear that nobody is there.
func (s *packetSocket) beRefused() {
	if s.remote == nil {
		return
	}
	there, _ := s.at.route(s.remote.addr.Addr())
	n := s.at.n
	n.w.callLater(n.spanBetween(there, s.at).min, func() {
		if !n.blocked(there, s.at) {
			s.refused = true
			wake(&s.readable)
		}
	})
}

// sendUnix sends within the host: at once, in order, and without losses.
func (s *packetSocket) sendUnix(data []byte, to binding) error {
	switch there := s.at.packetSocketFor(to, s.binding); {
	case len(data) > maxUnixgram:
		return sysError("sendto", syscall.EMSGSIZE)
	case there == nil && s.remote != nil:
		return sysError("sendto", syscall.ECONNREFUSED)
	case there == nil:
		return sysError("sendto", syscall.ENOENT)
	case len(there.queue) > maxUnixgrams:
		s.full = there
		return aionet.ErrWouldBlock
	default:
		there.take(datagram{slices.Clone(data), s.binding})
		return nil
	}
}

// packetSocketFor is the socket that a datagram is for, or nil.
func (at *stack) packetSocketFor(to, from binding) *packetSocket {
	var any *packetSocket
	for _, s := range at.sockets {
		c, ok := s.(*packetSocket)
		switch {
		case !ok || !c.reaches(to):
		case c.remote == nil:
			any = c
		case *c.remote == from:
			return c
		}
	}
	return any
}

// OnReadable implements [aionet.Notifier].
func (s *packetSocket) OnReadable(call func()) {
	s.readable = call
	if len(s.queue) > 0 || s.refused || s.closed {
		s.at.n.w.loop.CallSoon(func() { wake(&s.readable) })
	}
}

// OnWritable implements [aionet.Notifier].
func (s *packetSocket) OnWritable(call func()) {
	if to := s.full; to != nil && !to.closed && len(to.queue) > maxUnixgrams {
		to.waiting = append(to.waiting, call)
		return
	}
	s.at.n.w.loop.CallSoon(call)
}

// LocalAddr implements [aionet.Packets].
func (s *packetSocket) LocalAddr() net.Addr { return s.netAddr() }

// Close implements [aionet.Packets].
func (s *packetSocket) Close() error {
	if s.closed {
		return nil
	}
	s.vanish()
	s.at.remove(s)
	return nil
}

// vanish implements socket.
func (s *packetSocket) vanish() {
	s.closed = true
	s.queue, s.size = nil, 0
	if !s.at.n.over {
		wake(&s.readable)
		s.giveRoom()
	}
}

// giveRoom tells those who wait to send.
func (s *packetSocket) giveRoom() {
	for _, call := range s.waiting {
		s.at.n.w.loop.CallSoon(call)
	}
	s.waiting = nil
}

// bound implements socket.
func (s *packetSocket) bound() binding { return s.binding }

// held implements socket.
func (s *packetSocket) held() bool { return !s.closed }
