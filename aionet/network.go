package aionet

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/socket"
)

// A Network is where the connections of a loop come from: the system's, unless
// [asyncio.LoopOptions].Network is another, such as a simulated one. What this package
// promises it builds itself, on a Network's few operations. They belong to the loop,
// and none but those that take a ctx awaits.
type Network interface {
	// Connect opens a stream to remote, a [net.TCPAddr] or [net.UnixAddr], from
	// local unless that is nil.
	Connect(ctx context.Context, local, remote net.Addr) (Stream, error)

	// Listen opens a listening socket for one of Dial's networks. The host of the
	// address is no name. lc is not nil.
	Listen(ctx context.Context, network, address string, lc *ListenConfig) (Acceptor, error)

	// ListenPacket opens a socket for datagrams: udp, udp4, udp6 or unixgram. With a
	// remote address it sends to that and receives from there alone.
	ListenPacket(ctx context.Context, network string, local, remote net.Addr) (Packets, error)

	// Lookup finds the addresses of host, which may be a literal: for the network ip,
	// ip4 or ip6.
	Lookup(ctx context.Context, network, host string) ([]netip.Addr, error)

	// LookupAddr finds the names of an address.
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// A Notifier tells, once, when an operation that returned [ErrWouldBlock] is worth
// another try, as [asyncio.FD] does.
type Notifier interface {
	OnReadable(call func())
	OnWritable(call func())
}

// A Stream is a connected byte stream. Its operations never wait: where they would,
// they return [ErrWouldBlock]. Once it is closed, they return [net.ErrClosed]; its
// addresses stay.
type Stream interface {
	Notifier
	Read(p []byte) (int, error)        // io.EOF at the end
	Write(p []byte) (int, error)       // as much as there is room for
	Writev(bufs [][]byte) (int, error) // the same of several
	CloseWrite() error                 // ends the stream to the other side
	Close() error                      // also what follows
	Abort() error                      // Close, with a reset to the other side
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

// An Acceptor is a listening socket.
type Acceptor interface {
	Notifier
	Accept() (Stream, error) // ErrWouldBlock, or an error of the system
	Addr() net.Addr
	Close() error
}

// Packets is a socket for datagrams.
type Packets interface {
	Notifier
	ReadFrom(p []byte) (n int, from net.Addr, err error) // what does not fit into p is lost
	WriteTo(p []byte, to net.Addr) error                 // to may be nil if there is a remote address
	LocalAddr() net.Addr
	Close() error
}

// ErrWouldBlock is what the operations of a [Network] return in place of waiting.
// Those of this package wait.
var ErrWouldBlock = socket.ErrWouldBlock

// networkOf is the network of the loop.
func networkOf(l *asyncio.Loop) Network {
	switch n := l.Network().(type) {
	case nil:
		return systemNetwork(l)
	case Network:
		return n
	default:
		panic(fmt.Sprintf("aionet: LoopOptions.Network is a %T, which is no aionet.Network; leave it nil for the system's", n))
	}
}
