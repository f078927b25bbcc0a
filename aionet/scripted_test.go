package aionet_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// A scripted is a Network for what the simulated one has not: names with many addresses,
// and listeners that fail. It does what its test says, and no bytes cross it.
type scripted struct {
	hosts   map[string][]netip.Addr
	lookups []string                                         // that were asked for
	connect func(ctx context.Context, remote net.Addr) error // nil: it connects
	accept  []any                                            // errors, and texts of clients that do not wait for an answer
	open    int                                              // streams and acceptors

	acceptor *scriptedSocket // the last that was opened
}

// run runs main on the network and on virtual time, and returns what was logged. Nothing
// may be open afterwards.
func (n *scripted) run(t *testing.T, main func(ctx context.Context) error) (log string) {
	t.Helper()
	log = runWith(t, asyncio.LoopOptions{Network: n, Clock: &asyncio.ManualClock{}}, main)
	if n.open != 0 {
		t.Errorf("%d streams and listeners of the network are open", n.open)
	}
	return log
}

// runQuietly is run where nothing may be logged.
func (n *scripted) runQuietly(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	if log := n.run(t, main); log != "" {
		t.Errorf("logged:\n%s", log)
	}
}

func (n *scripted) Lookup(_ context.Context, network, host string) ([]netip.Addr, error) {
	n.lookups = append(n.lookups, network+" "+host)
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return n.hosts[host], nil
}

func (n *scripted) LookupAddr(_ context.Context, addr string) ([]string, error) {
	return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
}

func (n *scripted) Connect(ctx context.Context, _, remote net.Addr) (aionet.Stream, error) {
	if n.connect != nil {
		if err := n.connect(ctx, remote); err != nil {
			return nil, err
		}
	}
	n.open++
	return &scriptedStream{scriptedSocket: scriptedSocket{n: n, addr: remote}}, nil
}

func (n *scripted) Listen(_ context.Context, _, address string, _ *aionet.ListenConfig) (aionet.Acceptor, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	n.open++
	n.acceptor = &scriptedSocket{n: n, addr: net.TCPAddrFromAddrPort(ap)}
	return n.acceptor, nil
}

func (n *scripted) ListenPacket(context.Context, string, net.Addr, net.Addr) (aionet.Packets, error) {
	return nil, fmt.Errorf("no datagrams")
}

// A scriptedSocket is an acceptor, and what a stream has in common with one.
type scriptedSocket struct {
	n      *scripted
	addr   net.Addr
	wakes  func()
	closed bool
}

func (s *scriptedSocket) Accept() (aionet.Stream, error) {
	switch {
	case s.closed:
		return nil, net.ErrClosed
	case len(s.n.accept) == 0:
		return nil, aionet.ErrWouldBlock
	}
	next := s.n.accept[0]
	s.n.accept = s.n.accept[1:]
	if err, failed := next.(error); failed {
		return nil, err
	}
	s.n.open++
	return &scriptedStream{scriptedSocket{n: s.n, addr: s.addr}, strings.NewReader(next.(string))}, nil
}

func (s *scriptedSocket) OnReadable(call func()) { s.wakes = call }
func (s *scriptedSocket) OnWritable(func())      {}
func (s *scriptedSocket) Addr() net.Addr         { return s.addr }

func (s *scriptedSocket) Close() error {
	if !s.closed {
		s.closed = true
		s.n.open--
	}
	return nil
}

// A scriptedStream takes everything that is written, and has one text to be read.
type scriptedStream struct {
	scriptedSocket
	text *strings.Reader // nil of one that waits for ever
}

func (s *scriptedStream) Read(p []byte) (int, error) {
	if s.text == nil {
		return 0, aionet.ErrWouldBlock
	}
	return s.text.Read(p)
}

func (s *scriptedStream) Writev(bufs [][]byte) (all int, err error) {
	for _, p := range bufs {
		all += len(p)
	}
	return all, nil
}

func (s *scriptedStream) Write(p []byte) (int, error) { return len(p), nil }
func (s *scriptedStream) CloseWrite() error           { return nil }
func (s *scriptedStream) Abort() error                { return s.Close() }
func (s *scriptedStream) LocalAddr() net.Addr         { return s.addr }
func (s *scriptedStream) RemoteAddr() net.Addr        { return s.addr }
