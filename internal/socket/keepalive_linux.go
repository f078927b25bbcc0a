package socket

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// KeepAlive has the system probe an idle connection after d, and every d from then
// on until it is answered; zero switches that off.
func KeepAlive(fd int, d time.Duration) error {
	if d <= 0 {
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0))
	}
	seconds := int(max((d+time.Second-1)/time.Second, 1))
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds)
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds)
	}
	return os.NewSyscallError("setsockopt", err)
}
