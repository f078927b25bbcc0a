package aionet_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// A memory is a Network without a system: for tests on virtual time. Streams between
// its ends hold at most room bytes.
type memory struct {
	loop      *asyncio.Loop
	room      int
	most      int // bytes that one call writes; 0 is no bound
	streams   []*memoryStream
	hosts     map[string][]netip.Addr
	acceptors map[string]*memoryAcceptor
	connect   func(ctx context.Context, remote net.Addr) error // before it connects, if set
	open      int                                              // streams and acceptors
	ops       int                                              // operations of streams and acceptors
	lookups   []string
}

func newMemory() *memory {
	return &memory{room: 64 << 10, hosts: map[string][]netip.Addr{}, acceptors: map[string]*memoryAcceptor{}}
}

// runIn runs main on the network m and on virtual time. Nothing may be logged, or open
// afterwards.
func runIn(t *testing.T, m *memory, main func(ctx context.Context) error) {
	t.Helper()
	if got := runInLogged(t, m, main); got != "" {
		t.Errorf("logged:\n%s", got)
	}
}

// runInLogged is runIn where something may be logged.
func runInLogged(t *testing.T, m *memory, main func(ctx context.Context) error) string {
	t.Helper()
	log := runWith(t, asyncio.LoopOptions{Network: m, Clock: &asyncio.ManualClock{}}, main)
	if m.open != 0 {
		t.Errorf("%d streams and listeners of the network are open", m.open)
	}
	return log
}

// now is the loop's time.
func now(t *testing.T, ctx context.Context) time.Time {
	t.Helper()
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l.Now()
}

func (m *memory) bind(ctx context.Context) error {
	l, err := asyncio.RunningLoop(ctx)
	m.loop = l
	return err
}

func (m *memory) Connect(ctx context.Context, local, remote net.Addr) (aionet.Stream, error) {
	if err := m.bind(ctx); err != nil {
		return nil, err
	}
	if m.connect != nil {
		if err := m.connect(ctx, remote); err != nil {
			return nil, err
		}
	}
	a := m.acceptors[remote.String()]
	if a == nil {
		return nil, syscall.ECONNREFUSED
	}
	if local == nil {
		local = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1000 + m.open}
	}
	there, back := &half{m: m}, &half{m: m}
	m.open += 2
	client := &memoryStream{m: m, in: back, out: there, local: local, remote: remote}
	server := &memoryStream{m: m, in: there, out: back, local: remote, remote: local}
	m.streams = append(m.streams, client, server)
	a.queue = append(a.queue, server)
	a.wake()
	return client, nil
}

func (m *memory) Listen(ctx context.Context, network, address string, lc *aionet.ListenConfig) (aionet.Acceptor, error) {
	if err := m.bind(ctx); err != nil {
		return nil, err
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	if m.acceptors[address] != nil {
		return nil, syscall.EADDRINUSE
	}
	a := &memoryAcceptor{m: m, addr: net.TCPAddrFromAddrPort(ap)}
	m.acceptors[address] = a
	m.open++
	return a, nil
}

func (m *memory) ListenPacket(context.Context, string, net.Addr, net.Addr) (aionet.Packets, error) {
	return nil, fmt.Errorf("no datagrams in memory")
}

func (m *memory) Lookup(_ context.Context, network, host string) ([]netip.Addr, error) {
	m.lookups = append(m.lookups, network+" "+host)
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return m.hosts[host], nil
}

// A memoryAcceptor is a listening socket of a memory.
type memoryAcceptor struct {
	m      *memory
	addr   net.Addr
	queue  []*memoryStream
	failed []error // what Accept returns before anything else
	told   func()
	closed bool
}

func (a *memoryAcceptor) Accept() (aionet.Stream, error) {
	a.m.ops++
	switch {
	case a.closed:
		return nil, net.ErrClosed
	case len(a.failed) > 0:
		err := a.failed[0]
		a.failed = a.failed[1:]
		return nil, err
	case len(a.queue) == 0:
		return nil, aionet.ErrWouldBlock
	}
	s := a.queue[0]
	a.queue = a.queue[1:]
	return s, nil
}

func (a *memoryAcceptor) wake() { tell(a.m.loop, &a.told) }

func (a *memoryAcceptor) OnReadable(call func()) { a.told = call }
func (a *memoryAcceptor) OnWritable(func())      {}
func (a *memoryAcceptor) Addr() net.Addr         { return a.addr }

func (a *memoryAcceptor) Close() error {
	if a.closed {
		return nil
	}
	a.closed = true
	a.m.open--
	delete(a.m.acceptors, a.addr.String())
	for _, s := range a.queue {
		_ = s.Abort()
	}
	return nil
}

func tell(l *asyncio.Loop, told *func()) {
	if call := *told; call != nil {
		*told = nil
		l.CallSoon(call)
	}
}

// A half is one direction of a connection.
type half struct {
	m        *memory
	data     []byte
	ended    bool // by the writer
	reset    bool // by either
	gone     bool // the reader is closed
	readable func()
	writable func()
}

func (h *half) changed() {
	tell(h.m.loop, &h.readable)
	tell(h.m.loop, &h.writable)
}

// A memoryStream is one end of a connection.
type memoryStream struct {
	m             *memory
	in, out       *half
	local, remote net.Addr
	calls         int // of Write and Writev
	closed        bool
}

func (s *memoryStream) Read(p []byte) (int, error) {
	s.m.ops++
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.in.reset:
		return 0, syscall.ECONNRESET
	case len(s.in.data) > 0:
		n := copy(p, s.in.data)
		s.in.data = s.in.data[n:]
		s.in.changed()
		return n, nil
	case s.in.ended:
		return 0, io.EOF
	}
	return 0, aionet.ErrWouldBlock
}

func (s *memoryStream) Write(p []byte) (int, error) {
	s.calls++
	s.m.ops++
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.out.gone || s.out.reset:
		return 0, syscall.EPIPE
	}
	n := min(len(p), s.m.room-len(s.out.data))
	if s.m.most > 0 {
		n = min(n, s.m.most)
	}
	if n <= 0 {
		return 0, aionet.ErrWouldBlock
	}
	s.out.data = append(s.out.data, p[:n]...)
	s.out.changed()
	return n, nil
}

func (s *memoryStream) Writev(bufs [][]byte) (all int, err error) {
	before := s.calls
	for _, p := range bufs {
		n, err := s.Write(p)
		if all += n; err != nil || n < len(p) {
			break
		}
	}
	if s.calls = before + 1; all == 0 {
		return 0, aionet.ErrWouldBlock
	}
	return all, nil
}

func (s *memoryStream) OnReadable(call func()) { s.in.readable = call }
func (s *memoryStream) OnWritable(call func()) { s.out.writable = call }
func (s *memoryStream) LocalAddr() net.Addr    { return s.local }
func (s *memoryStream) RemoteAddr() net.Addr   { return s.remote }

func (s *memoryStream) CloseWrite() error {
	s.out.ended = true
	s.out.changed()
	return nil
}

func (s *memoryStream) Close() error { return s.end(false) }
func (s *memoryStream) Abort() error { return s.end(true) }

func (s *memoryStream) end(reset bool) error {
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	s.m.open--
	s.out.ended, s.in.gone = true, true
	s.out.reset = s.out.reset || reset
	s.in.changed()
	s.out.changed()
	return nil
}
