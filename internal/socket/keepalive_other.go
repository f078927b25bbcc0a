//go:build unix && !linux

package socket

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// KeepAlive has the system probe an idle connection, at its own intervals; zero
// switches that off.
func KeepAlive(fd int, d time.Duration) error {
	on := 0
	if d > 0 {
		on = 1
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, on))
}
