//go:build unix && !linux

package socket

import "golang.org/x/sys/unix"

// Read reads into p, and returns 0 at the end of the stream. p must not be empty.
func Read(fd int, p []byte) (int, error) {
	for {
		if n, err := unix.Read(fd, p); err != unix.EINTR {
			return max(n, 0), wouldBlock(err)
		}
	}
}

// Write writes as much of p as there is room for. p must not be empty.
func Write(fd int, p []byte) (int, error) {
	for {
		if n, err := unix.Write(fd, p); err != unix.EINTR {
			return max(n, 0), wouldBlock(err)
		}
	}
}
