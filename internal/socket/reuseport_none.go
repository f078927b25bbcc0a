//go:build solaris || illumos || aix

package socket

import "errors"

// ReusePort lets several sockets listen on one address, where the system can.
func ReusePort(int) error { return errors.New("SO_REUSEPORT: " + errors.ErrUnsupported.Error()) }
