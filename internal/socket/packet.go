//go:build unix

package socket

import (
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// ReceiveFrom takes one datagram, of which what does not fit into p is lost.
func ReceiveFrom(fd int, p []byte) (n int, from net.Addr, err error) {
	for {
		n, sa, err := unix.Recvfrom(fd, p, 0)
		switch err {
		case nil:
			return n, packetAddress(sa), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, nil, ErrWouldBlock
		default:
			return 0, nil, os.NewSyscallError("recvfrom", err)
		}
	}
}

// SendTo sends one datagram; to is nil for a socket that is connected. A socket of IPv6
// that serves both families has six set.
func SendTo(fd int, p []byte, to net.Addr, six bool) error {
	var sa unix.Sockaddr
	if to != nil {
		_, remote, err := sockaddr(to)
		if err != nil {
			return err
		}
		if in4, ok := remote.(*unix.SockaddrInet4); ok && six {
			remote = &unix.SockaddrInet6{Port: in4.Port, Addr: netip.AddrFrom4(in4.Addr).As16()}
		}
		sa = remote
	}
	for {
		var err error
		if sa == nil {
			_, err = Write(fd, p)
		} else {
			err = unix.Sendto(fd, p, 0, sa)
		}
		switch err {
		case unix.EINTR:
		case unix.EAGAIN, ErrWouldBlock:
			return ErrWouldBlock
		default:
			return os.NewSyscallError("sendto", err)
		}
	}
}

// packetAddress is address for datagrams.
func packetAddress(sa unix.Sockaddr) net.Addr {
	switch a := address(sa).(type) {
	case *net.TCPAddr:
		return (*net.UDPAddr)(a)
	case *net.UnixAddr:
		return &net.UnixAddr{Net: "unixgram", Name: a.Name}
	}
	return nil
}
