package aionet

import (
	"crypto/tls"
	"errors"
	"reflect"
	"sync"
	"syscall"
	"unsafe"
)

// WithoutRenegotiation is withoutRenegotiation.
func WithoutRenegotiation(config *tls.Config) *tls.Config { return withoutRenegotiation(config) }

// WriteMutexes is the mutexes of crypto/tls that a Write of c takes.
func WriteMutexes(c *Conn) []*sync.Mutex {
	conn := reflect.ValueOf(c.link.secure.conn).Elem()
	return []*sync.Mutex{
		(*sync.Mutex)(unsafe.Pointer(conn.FieldByName("handshakeMutex").UnsafeAddr())),
		(*sync.Mutex)(unsafe.Pointer(conn.FieldByName("out").FieldByName("Mutex").UnsafeAddr())),
	}
}

// A countingStream counts what is sent without copying.
type countingStream struct {
	Stream
	sent *int64
}

func (s countingStream) SendFile(f syscall.Conn, n int) (int, error) {
	sender, ok := s.Stream.(fileSender)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	n, err := sender.SendFile(f, n)
	*s.sent += int64(n)
	return n, err
}

// CountSent is how much of files c sends without copying, from now on.
func CountSent(c *Conn) *int64 {
	sent := new(int64)
	c.link.stream = countingStream{c.link.stream, sent}
	return sent
}
