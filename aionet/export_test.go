package aionet

import (
	"crypto/tls"
	"reflect"
	"sync"
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
