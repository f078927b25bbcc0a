//go:build unix

package socket

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Exhausted reports whether err means that the process or the system has run out of
// descriptors or memory, which may pass.
func Exhausted(err error) bool {
	return isAny(err, unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.ENOSPC)
}

// PeerGone reports whether err means that the other side has closed the connection, or
// answers no more.
func PeerGone(err error) bool {
	return isAny(err, unix.ECONNRESET, unix.EPIPE, unix.ECONNABORTED, unix.ETIMEDOUT, unix.EHOSTUNREACH, unix.ENETUNREACH)
}

func isAny(err error, errnos ...unix.Errno) bool {
	for _, errno := range errnos {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
