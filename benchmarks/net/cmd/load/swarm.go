package main

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// A swarm is many connections of which each sends its next message when the
// answer to the last one is complete.
type swarm struct {
	*traffic
	epoll   int
	conns   []conn
	events  [256]unix.EpollEvent
	latency histogram
	busy    int  // connections that wait for an answer
	ending  bool // nothing more is sent
}

// batch is how many connections are opened before they say something: the
// server's queue of those that it has not accepted must not overflow.
const batch = 200

// newSwarm connects n connections, over each of which one message has gone.
func newSwarm(addr netip.AddrPort, n, size int) (*swarm, error) {
	if err := allowFiles(n + 100); err != nil {
		return nil, err
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	s := &swarm{traffic: newTraffic(size), epoll: epoll, ending: true}
	for len(s.conns) < n {
		first := len(s.conns)
		for len(s.conns) < min(first+batch, n) {
			if err := s.connect(addr); err != nil {
				return s, fmt.Errorf("connection %d: %w", len(s.conns), err)
			}
		}
		if err := s.begin(first); err != nil {
			return s, err
		}
		if err := s.finish(); err != nil {
			return s, err
		}
	}
	return s, nil
}

// allowFiles raises the limit of open files, here and for children.
func allowFiles(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Max = max(limit.Max, uint64(n))
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%d open files: %w", n, err)
	}
	return nil
}

// connect opens a connection. The source addresses take turns, so that ports do
// not run out.
func (s *swarm) connect(addr netip.AddrPort) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	i := len(s.conns)
	s.conns = append(s.conns, conn{fd: fd})
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i%8)}}); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}); err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	const edges = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET&(1<<32-1)
	return unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: edges, Fd: int32(i)})
}

func (s *swarm) close() {
	for _, c := range s.conns {
		unix.Close(c.fd)
	}
	unix.Close(s.epoll)
}

// begin lets all connections from the first on send a message.
func (s *swarm) begin(first int) error {
	for i := range s.conns[first:] {
		s.busy++
		if err := s.conns[first+i].begin(s.traffic); err != nil {
			return err
		}
	}
	return nil
}

// run exchanges messages until a time, or until there were n answers in all.
func (s *swarm) run(until time.Duration, n int64) error {
	s.ending = false
	for s.now() < until && s.latency.n < n {
		if err := s.turn(until - s.now()); err != nil {
			return err
		}
	}
	s.ending = true
	return nil
}

// finish waits for the answers that are missing.
func (s *swarm) finish() error {
	for until := s.now() + patience; s.busy > 0; {
		if s.now() > until {
			return fmt.Errorf("%d answers are missing after %v", s.busy, patience)
		}
		if err := s.turn(until - s.now()); err != nil {
			return err
		}
	}
	return nil
}

// turn waits for events for some time at most, and deals with them.
func (s *swarm) turn(wait time.Duration) error {
	n, err := unix.EpollWait(s.epoll, s.events[:], int(max(wait, 0).Milliseconds())+1)
	if err == unix.EINTR {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range s.events[:n] {
		if err := s.event(&s.conns[e.Fd]); err != nil {
			return fmt.Errorf("connection %d: %w", e.Fd, err)
		}
	}
	return nil
}

func (s *swarm) event(c *conn) error {
	if c.began == 0 || c.got == s.size {
		return nil // it has sent nothing yet, or not again
	}
	if err := c.send(s.traffic); err != nil {
		return err
	}
	complete, err := c.receive(s.traffic)
	if err != nil || !complete {
		return err
	}
	s.latency.add(s.now() - c.began)
	if s.ending {
		s.busy--
		return nil
	}
	return c.begin(s.traffic)
}
