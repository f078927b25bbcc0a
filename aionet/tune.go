package aionet

import (
	"errors"
	"net"
	"time"
)

// defaultKeepAlive is that of package net.
const defaultKeepAlive = 15 * time.Second

// keepAlive is a KeepAlive field's meaning: zero is the default, negative is never,
// which the system calls zero.
func keepAlive(d time.Duration) time.Duration {
	switch {
	case d == 0:
		return defaultKeepAlive
	case d < 0:
		return 0
	}
	return d
}

// A tuner is a [Stream] with the options of TCP.
type tuner interface {
	SetNoDelay(on bool) error
	SetKeepAlive(d time.Duration) error
}

// SetNoDelay says whether small writes are sent at once, as they are unless this was
// called, or wait until more is there (Nagle's algorithm).
func (c *Conn) SetNoDelay(on bool) error {
	return c.tune(func(t tuner) error { return t.SetNoDelay(on) })
}

// SetKeepAlive has the system probe whether the other side is still there once the
// connection has been idle for d, and fail it if there is no answer. Zero is never.
func (c *Conn) SetKeepAlive(d time.Duration) error {
	return c.tune(func(t tuner) error { return t.SetKeepAlive(d) })
}

func (c *Conn) tune(set func(tuner) error) error {
	t, ok := c.link.stream.(tuner)
	switch {
	case c.link.closed || c.link.hub.loop.Closed():
		return c.link.opError("set", net.ErrClosed)
	case !ok:
		return c.link.opError("set", errors.ErrUnsupported)
	}
	return c.link.opError("set", set(t))
}
