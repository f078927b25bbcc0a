package socket

import (
	"os"

	"golang.org/x/sys/unix"
)

// CanSendFile says whether SendFile exists.
const CanSendFile = true

// SendFile writes up to n bytes of the file, from its offset on, to a socket, without
// copying them into the process. It returns 0 at the end of the file.
func SendFile(fd, file, n int) (int, error) {
	for {
		sent, err := unix.Sendfile(fd, file, nil, n)
		switch err {
		case nil:
			return sent, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, ErrWouldBlock
		default:
			return 0, os.NewSyscallError("sendfile", err)
		}
	}
}
