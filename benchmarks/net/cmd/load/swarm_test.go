package main

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// serve lets handle serve each connection to the address that it returns, until
// the test ends.
func serve(t *testing.T, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// answer serves a connection with what change makes of the bytes.
func answer(change func([]byte) []byte) func(net.Conn) {
	return func(c net.Conn) {
		buf := make([]byte, 1<<16)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if _, err := c.Write(change(buf[:n])); err != nil {
				return
			}
		}
	}
}

func same(p []byte) []byte { return p }

func TestSwarm_CountsAnswers(t *testing.T) {
	for _, size := range []int{1, 64, 1 << 20} { // the last does not fit into the buffers of a socket
		s, err := newSwarm(serve(t, answer(same)), 2*batch+1, size)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		s.latency = histogram{}
		const rounds = 3
		for range rounds {
			if err := s.begin(0); err != nil {
				t.Fatal(err)
			}
			if err := s.finish(); err != nil {
				t.Fatal(err)
			}
		}
		if want := int64(rounds * len(s.conns)); s.latency.n != want {
			t.Errorf("%d answers of %d bytes, want %d", s.latency.n, size, want)
		}
	}
}

func TestSwarm_RunIsBounded(t *testing.T) {
	s, err := newSwarm(serve(t, answer(same)), 3, 64)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.begin(0); err != nil {
		t.Fatal(err)
	}
	const n = 1000
	if err := s.run(s.now()+time.Hour, n); err != nil {
		t.Fatal(err)
	}
	if s.latency.n < n || s.latency.n > n+3 {
		t.Errorf("%d answers, want %d", s.latency.n, n)
	}
}

func TestSwarm_FindsCorruption(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"a bit":     func(p []byte) []byte { p[len(p)-1] ^= 1; return p },
		"too much":  func(p []byte) []byte { return append(p, 0) },
		"the order": func(p []byte) []byte { p[0], p[1] = p[1], p[0]; return p },
	} {
		s, err := newSwarm(serve(t, answer(change)), 1, 64)
		if !errors.Is(err, errCorrupt) {
			t.Errorf("%s: got %v, want %v", name, err, errCorrupt)
		}
		s.close()
	}
}

// An answer that was right once is wrong for the next message.
func TestSwarm_FindsStaleAnswers(t *testing.T) {
	var first []byte
	s, err := newSwarm(serve(t, answer(func(p []byte) []byte {
		if first == nil {
			first = append(first, p...)
		}
		return first
	})), 1, 64)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := errors.Join(s.begin(0), s.finish()); !errors.Is(err, errCorrupt) {
		t.Errorf("got %v, want %v", err, errCorrupt)
	}
}

func TestSwarm_FindsTheEndOfTheServer(t *testing.T) {
	s, err := newSwarm(serve(t, func(c net.Conn) { c.Read(make([]byte, 64)) }), 1, 64)
	if err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("got %v, want that the server has closed the connection", err)
	}
	s.close()
}
