//go:build unix && !asyncio_netonly

package aionet

import (
	"context"
	"net"
	"syscall"

	"github.com/asyncio-go/asyncio/internal/socket"
)

// ListenPacket implements [Network]. Package net makes the socket; the loop uses a
// duplicate.
func (n system) ListenPacket(ctx context.Context, network string, local, remote net.Addr) (Packets, error) {
	c, err := openSocket(ctx, network, local, remote)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	fd, err := duplicate(c)
	if err != nil {
		return nil, err
	}
	p := &fdPackets{fdStream: fdStream{sysfd: int32(fd)}}
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
	Close() error
}

func openSocket(ctx context.Context, network string, local, remote net.Addr) (rawConn, error) {
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
	return p.unlessClosed(socket.SendTo(int(p.sysfd), b, to))
}
