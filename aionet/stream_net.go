//go:build !unix || asyncio_netonly

package aionet

import (
	"errors"
	"net"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A goStream is a connection of package net: a goroutine reads ahead while a task waits,
// another writes what does not fit at once.
type goStream struct {
	goSocket
	conn    net.Conn
	in      arrival[[]byte]
	rest    []byte
	out     arrival[int]
	sending bool
	ending  func() // Close or CloseWrite, which wait for the write under way
}

func (n system) stream(c net.Conn) *goStream {
	s := &goStream{conn: c}
	s.out.here = true
	n.add(&s.goSocket, c.Close)
	return s
}

const aheadSize = 32 << 10

// Read implements [Stream].
func (s *goStream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		b, err := s.in.take()
		if err != nil {
			return 0, err
		}
		s.rest = b
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// OnReadable implements [Notifier].
func (s *goStream) OnReadable(call func()) {
	s.in.expect(s.loop, call, func() ([]byte, error) {
		buf := make([]byte, aheadSize)
		n, err := s.conn.Read(buf)
		if n > 0 {
			err = nil // it comes again
		}
		return buf[:n], err
	})
}

// Write implements [Stream].
func (s *goStream) Write(p []byte) (int, error) {
	if _, err := s.out.take(); err != nil {
		return 0, err
	}
	own := append([]byte(nil), p[:min(len(p), aheadSize)]...)
	s.sending = true
	s.out.expect(s.loop, nil, func() (int, error) { return s.conn.Write(own) })
	s.out.call = s.sent
	return len(own), nil
}

// sent is called when the write under way is over.
func (s *goStream) sent() {
	s.sending = false
	if end := s.ending; end != nil {
		s.ending = nil
		end()
	}
}

// Writev implements [Stream].
func (s *goStream) Writev(bufs [][]byte) (int, error) {
	var all []byte
	for _, p := range bufs {
		all = append(all, p[:min(len(p), aheadSize-len(all))]...)
	}
	return s.Write(all)
}

// OnWritable implements [Notifier].
func (s *goStream) OnWritable(call func()) {
	if !s.sending {
		s.loop.CallSoon(call)
		return
	}
	s.out.call = func() {
		s.sent()
		call()
	}
}

// CloseWrite implements [Stream].
func (s *goStream) CloseWrite() error {
	return s.end(func() {
		if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
			_ = c.CloseWrite()
		}
	})
}

// Close implements [Stream]. A write under way may take as long as Close of a Conn.
func (s *goStream) Close() error {
	var alarm *asyncio.Handle
	if s.sending {
		alarm = s.loop.CallLater(linger, func() { _ = s.Abort() })
	}
	return s.end(func() {
		if alarm != nil {
			alarm.Cancel()
		}
		s.close()
	})
}

// end calls f once the write under way is over.
func (s *goStream) end(f func()) error {
	if !s.sending {
		f()
		return nil
	}
	first := s.ending
	s.ending = func() {
		if first != nil {
			first()
		}
		f()
	}
	return nil
}

// Abort implements [Stream].
func (s *goStream) Abort() error {
	if c, ok := s.conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	s.close()
	return nil
}

// LocalAddr implements [Stream].
func (s *goStream) LocalAddr() net.Addr { return s.conn.LocalAddr() }

// RemoteAddr implements [Stream].
func (s *goStream) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }

// SetNoDelay implements tuner.
func (s *goStream) SetNoDelay(on bool) error {
	if c, ok := s.conn.(*net.TCPConn); ok {
		return c.SetNoDelay(on)
	}
	return errors.ErrUnsupported
}

// SetKeepAlive implements tuner.
func (s *goStream) SetKeepAlive(d time.Duration) error {
	c, ok := s.conn.(*net.TCPConn)
	if !ok {
		return errors.ErrUnsupported
	}
	return c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: d > 0, Idle: d, Interval: d})
}
