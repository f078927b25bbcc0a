//go:build unix

package poll

import "golang.org/x/sys/unix"

// Ready reports whether a descriptor is ready at the moment. It costs a system
// call, where an edge costs none.
func Ready(fd int, d Direction) bool {
	if d == Write {
		return isReady(fd, unix.POLLOUT)
	}
	return isReady(fd, unix.POLLIN)
}

func isReady(fd int, events int16) bool {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: events}}
	n, err := unix.Poll(fds[:], 0)
	return n > 0 && err == nil
}

// Prepare makes a descriptor non-blocking, as Add wants it.
func Prepare(fd int) error { return unix.SetNonblock(fd, true) }
