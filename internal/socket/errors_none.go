//go:build !unix

package socket

// Exhausted reports whether err means that the process or the system has run out of
// descriptors or memory, which may pass.
func Exhausted(error) bool { return false }

// PeerGone reports whether err means that the other side has closed the connection.
func PeerGone(error) bool { return false }
