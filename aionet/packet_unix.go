//go:build unix && !asyncio_netonly

package aionet

import (
	"context"
	"errors"
	"net"
	"syscall"

	"github.com/asyncio-go/asyncio/internal/socket"
	"golang.org/x/sys/unix"
)

// ListenPacket implements [Network]. Package net makes the socket; the loop uses a
// duplicate.
func (n system) ListenPacket(ctx context.Context, network string, local, remote net.Addr) (Packets, error) {
	c, err := openSocket(ctx, network, local, remote)
	if local != nil && errors.Is(err, unix.EADDRINUSE) && removeStale(network, local.String()) {
		c, err = openSocket(ctx, network, local, remote)
	}
	if err != nil {
		return nil, err
	}
	defer c.Close()
	fd, err := duplicate(c)
	if err != nil {
		return nil, err
	}
	p := &fdPackets{fdStream: fdStream{sysfd: int32(fd), local: c.LocalAddr()}}
	if a, ok := p.local.(*net.UDPAddr); ok {
		p.six = a.IP.To4() == nil
	}
	if network == "unixgram" && local != nil {
		p.file = fileOfSocket(local.String())
	}
	if err := p.register(n.loop, fd); err != nil {
		_ = socket.Close(fd)
		return nil, err
	}
	p.fd.OnClose(p.release)
	return p, nil
}

type rawConn interface {
	syscall.Conn
	LocalAddr() net.Addr
	Close() error
}

func openSocket(ctx context.Context, network string, local, remote net.Addr) (rawConn, error) {
	ctx = context.WithoutCancel(ctx) // it does not wait, and its deadlines are on the loop's clock
	if remote != nil {
		c, err := (&net.Dialer{LocalAddr: local}).DialContext(ctx, network, remote.String())
		if err != nil {
			return nil, err
		}
		return c.(rawConn), nil
	}
	address := ""
	if local != nil {
		address = local.String()
	}
	c, err := new(net.ListenConfig).ListenPacket(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c.(rawConn), nil
}

// fdPackets is a socket for datagrams.
type fdPackets struct {
	fdStream
	file socketFile
	six  bool // of IPv6
}

func (p *fdPackets) release() {
	p.fdStream.release()
	p.file.remove()
}

// ReadFrom implements [Packets].
func (p *fdPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := socket.ReceiveFrom(int(p.sysfd), b)
	return n, from, p.unlessClosed(err)
}

// WriteTo implements [Packets].
func (p *fdPackets) WriteTo(b []byte, to net.Addr) error {
	return p.unlessClosed(socket.SendTo(int(p.sysfd), b, to, p.six))
}
