//go:build unix && !linux && !freebsd && !dragonfly

package socket

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// open makes a socket that does not block.
func open(family, kind int) (int, error) {
	syscall.ForkLock.RLock() // or a child that starts now inherits it
	fd, err := unix.Socket(family, kind, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	return fd, os.NewSyscallError("socket", err)
}

func accept(fd int) (int, unix.Sockaddr, error) {
	syscall.ForkLock.RLock()
	conn, sa, err := unix.Accept(fd)
	if err == nil {
		unix.CloseOnExec(conn)
	}
	syscall.ForkLock.RUnlock()
	if err == nil {
		err = unix.SetNonblock(conn, true)
	}
	return conn, sa, err
}
