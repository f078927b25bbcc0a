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

// SendTo sends one datagram; to is nil for a socket that is connected.
func SendTo(fd int, p []byte, to net.Addr) error {
	var sa unix.Sockaddr
	if to != nil {
		family, remote, err := sockaddr(to)
		if err != nil {
			return err
		}
		if sa, err = inFamilyOf(fd, family, remote); err != nil {
			return err
		}
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

// inFamilyOf maps an IPv4 address for a socket that serves both families.
func inFamilyOf(fd, family int, sa unix.Sockaddr) (unix.Sockaddr, error) {
	in4, ok := sa.(*unix.SockaddrInet4)
	if !ok || family != unix.AF_INET {
		return sa, nil
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		return nil, os.NewSyscallError("getsockname", err)
	}
	if _, both := own.(*unix.SockaddrInet6); both {
		return &unix.SockaddrInet6{Port: in4.Port, Addr: netip.AddrFrom4(in4.Addr).As16()}, nil
	}
	return sa, nil
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
