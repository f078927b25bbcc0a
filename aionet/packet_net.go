//go:build !unix || asyncio_netonly

package aionet

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// ListenPacket implements [Network].
func (n system) ListenPacket(ctx context.Context, network string, local, remote net.Addr) (Packets, error) {
	ctx = context.WithoutCancel(ctx) // it does not wait, and its deadlines are on the loop's clock
	p := &goPackets{}
	if remote != nil {
		c, err := (&net.Dialer{LocalAddr: local}).DialContext(ctx, network, remote.String())
		if err != nil {
			return nil, err
		}
		p.conn, p.dialled = c.(net.PacketConn), c
	} else {
		address := ""
		if local != nil {
			address = local.String()
		}
		c, err := new(net.ListenConfig).ListenPacket(ctx, network, address)
		if errors.Is(err, syscall.EADDRINUSE) && network == "unixgram" && removeStale(network, address) {
			c, err = new(net.ListenConfig).ListenPacket(ctx, network, address)
		}
		if err != nil {
			return nil, err
		}
		p.conn = c
	}
	p.out.here = true
	n.add(&p.goSocket, func() error {
		if network == "unixgram" && local != nil {
			_ = os.Remove(local.String())
		}
		return p.conn.Close()
	})
	return p, nil
}

// goPackets is a socket for datagrams. A goroutine reads one ahead while a task waits.
// Those of a Unix socket are written by another, because they may wait for the reader;
// those of UDP are sent or dropped at once.
type goPackets struct {
	goSocket
	conn    net.PacketConn
	dialled net.Conn // the same, if there is a remote address
	next    arrival[datagram]
	out     arrival[int]
	ended   bool // Close was called, which waits for the write under way
}

type datagram struct {
	data []byte
	from net.Addr
}

const maxDatagram = 64 << 10

// ReadFrom implements [Packets].
func (p *goPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	d, err := p.next.take()
	p.next.forgive()
	return copy(b, d.data), d.from, err
}

// forgive drops an error, which does not end a socket for datagrams.
func (a *arrival[T]) forgive() {
	if a.err != nil && !errors.Is(a.err, net.ErrClosed) {
		a.err, a.here = nil, false
	}
}

// WriteTo implements [Packets].
func (p *goPackets) WriteTo(b []byte, to net.Addr) error {
	if p.LocalAddr().Network() != "unixgram" {
		_, err := p.write(b, to)
		return err
	}
	_, err := p.out.take()
	if err == ErrWouldBlock {
		return err
	}
	if p.out.forgive(); err != nil { // of the datagram before
		p.out.here = true
		return err
	}
	own := bytes.Clone(b)
	p.out.expect(p.loop, nil, func() (int, error) { return p.write(own, to) })
	p.out.call = p.sent
	return nil
}

func (p *goPackets) write(b []byte, to net.Addr) (int, error) {
	if p.dialled != nil {
		return p.dialled.Write(b)
	}
	return p.conn.WriteTo(b, to)
}

// sent is called when the write under way is over.
func (p *goPackets) sent() {
	if p.ended {
		p.close()
	}
}

// OnReadable implements [Notifier].
func (p *goPackets) OnReadable(call func()) {
	p.next.expect(p.loop, call, func() (datagram, error) {
		buf := make([]byte, maxDatagram)
		n, from, err := p.conn.ReadFrom(buf)
		return datagram{buf[:n], from}, err
	})
}

// OnWritable implements [Notifier].
func (p *goPackets) OnWritable(call func()) {
	if !p.out.waiting {
		p.loop.CallSoon(call)
		return
	}
	p.out.call = func() {
		p.sent()
		call()
	}
}

// LocalAddr implements [Packets].
func (p *goPackets) LocalAddr() net.Addr { return p.conn.LocalAddr() }

// Close implements [Packets].
func (p *goPackets) Close() error {
	if p.ended = true; !p.out.waiting {
		p.close()
	}
	return nil
}
