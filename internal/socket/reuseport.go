//go:build unix && !solaris && !illumos && !aix

package socket

import (
	"os"

	"golang.org/x/sys/unix"
)

// ReusePort lets several sockets listen on one address.
func ReusePort(fd int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
}
