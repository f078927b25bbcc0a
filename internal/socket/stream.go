//go:build unix

package socket

import (
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// wouldBlock translates EAGAIN.
func wouldBlock(err error) error {
	if err == unix.EAGAIN {
		return ErrWouldBlock
	}
	return err
}

// maxVectors is how many slices a system call takes at most.
const maxVectors = 1024

// Writev writes as much of bufs as there is room for.
func Writev(fd int, bufs [][]byte) (int, error) {
	n, err := writev(fd, bufs[:min(len(bufs), maxVectors)])
	return max(n, 0), wouldBlock(err)
}

// Connect begins to connect a new socket to remote, from local unless that is nil. The
// socket is writable once that has succeeded or failed, which Error tells.
func Connect(local, remote net.Addr) (int, error) {
	family, sa, err := sockaddr(remote)
	if err != nil {
		return -1, err
	}
	kind := unix.SOCK_STREAM
	if remote.Network() == "unixgram" {
		kind = unix.SOCK_DGRAM
	}
	fd, err := open(family, kind)
	if err != nil {
		return -1, err
	}
	if err := connect(fd, local, sa); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func connect(fd int, local net.Addr, remote unix.Sockaddr) error {
	if local != nil {
		_, from, err := sockaddr(local)
		if err != nil {
			return err
		}
		if err := unix.Bind(fd, from); err != nil {
			return os.NewSyscallError("bind", err)
		}
	}
	if err := unix.Connect(fd, remote); err != unix.EINPROGRESS && err != unix.EINTR {
		return os.NewSyscallError("connect", err)
	}
	return nil
}

// An AddrPort is the address of a TCP connection in half the memory that a
// [net.TCPAddr] takes: connections are many, and few are asked for it.
type AddrPort netip.AddrPort

// Network implements [net.Addr].
func (a *AddrPort) Network() string { return "tcp" }

func (a *AddrPort) String() string { return netip.AddrPort(*a).String() }

func compact(sa unix.Sockaddr) net.Addr {
	if tcp, ok := address(sa).(*net.TCPAddr); ok {
		a := AddrPort(tcp.AddrPort())
		return &a
	}
	return address(sa)
}

// Error is the pending error of a socket, such as that of Connect.
func Error(fd int) error {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		return os.NewSyscallError("getsockopt", err)
	case n != 0:
		return os.NewSyscallError("connect", unix.Errno(n))
	}
	return nil
}

// Accept takes a connection from the queue of a listening socket.
func Accept(fd int) (conn int, remote net.Addr, err error) {
	for {
		conn, sa, err := accept(fd)
		switch err {
		case nil:
			return conn, compact(sa), nil
		case unix.EINTR, unix.ECONNABORTED, unix.EPROTO, unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH:
			// That one is gone; there may be others.
		case unix.EAGAIN:
			return -1, nil, ErrWouldBlock
		default:
			return -1, nil, os.NewSyscallError("accept", err)
		}
	}
}

// LocalAddr is the socket's own address, or nil.
func LocalAddr(fd int) net.Addr {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return nil
	}
	return address(sa)
}

// RemoteAddr is the address at the other end, or nil.
func RemoteAddr(fd int) net.Addr {
	sa, err := unix.Getpeername(fd)
	if err != nil {
		return nil
	}
	return address(sa)
}

// CloseWrite ends the stream to the other side.
func CloseWrite(fd int) error { return os.NewSyscallError("shutdown", unix.Shutdown(fd, unix.SHUT_WR)) }

// Close closes a descriptor.
func Close(fd int) error { return os.NewSyscallError("close", unix.Close(fd)) }

// Reset closes a socket so that the other side gets a reset, and what was not sent
// is dropped.
func Reset(fd int) error {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	return Close(fd)
}

// NoDelay has small writes sent at once, or not.
func NoDelay(fd int, on bool) error {
	v := 0
	if on {
		v = 1
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, v))
}

// Duplicate is another descriptor of the same file.
func Duplicate(fd int) (int, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	return n, os.NewSyscallError("fcntl", err)
}

// Listen sets how many connections wait for Accept.
func Listen(fd, backlog int) error { return os.NewSyscallError("listen", unix.Listen(fd, backlog)) }

// sockaddr is the system's form of an address.
func sockaddr(a net.Addr) (family int, sa unix.Sockaddr, err error) {
	switch a := a.(type) {
	case *net.TCPAddr:
		return ipSockaddr(a.AddrPort())
	case *net.UDPAddr:
		return ipSockaddr(a.AddrPort())
	case *net.UnixAddr:
		return unix.AF_UNIX, &unix.SockaddrUnix{Name: a.Name}, nil
	}
	return 0, nil, &net.AddrError{Err: "unsupported address", Addr: a.String()}
}

func ipSockaddr(a netip.AddrPort) (family int, sa unix.Sockaddr, err error) {
	ip := a.Addr()
	if ip.Unmap().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.Unmap().As4()}, nil
	}
	in6 := &unix.SockaddrInet6{Port: int(a.Port()), Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		id, err := zoneID(zone)
		if err != nil {
			return 0, nil, err
		}
		in6.ZoneId = id
	}
	return unix.AF_INET6, in6, nil
}

func zoneID(zone string) (uint32, error) {
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index), nil
	}
	n, err := strconv.ParseUint(zone, 10, 32)
	if err != nil {
		return 0, &net.AddrError{Err: "unknown zone", Addr: zone}
	}
	return uint32(n), nil
}

// address is an address as package net has it.
func address(sa unix.Sockaddr) net.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.ZoneId != 0 {
			ip = ip.WithZone(zoneName(sa.ZoneId))
		}
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(sa.Port)))
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Net: "unix", Name: sa.Name}
	}
	return nil
}

func zoneName(id uint32) string {
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(id), 10)
}
