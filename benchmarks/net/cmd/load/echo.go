package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// warmUp is for how long a server is loaded before it is measured.
const warmUp = 300 * time.Millisecond

// rest is for how long a server is left alone before its memory is read.
const rest = 300 * time.Millisecond

// A crowd is a server with connections to it.
type crowd struct {
	server *server
	swarm  *swarm
	before int64 // memory of the server before the first connection
}

// withCrowd starts the server, connects, calls f and ends everything.
func withCrowd(o *options, f func(*crowd) error) error {
	debug.SetGCPercent(-1) // what is allocated from here on is little
	if err := allowFiles(o.conns + 100); err != nil {
		return err
	}
	srv, err := start(o.command, o.server)
	if err != nil {
		return err
	}
	defer srv.kill()
	addr, err := srv.addr()
	if err != nil {
		return err
	}
	c := &crowd{server: srv}
	if c.before, err = c.settledMemory(); err != nil {
		return err
	}
	c.swarm, err = newSwarm(addr, o.conns, o.size)
	if c.swarm != nil {
		defer c.swarm.close()
	}
	if err != nil {
		return err
	}
	return f(c)
}

// settledMemory is what the server takes when it has given back what it does not
// use.
func (c *crowd) settledMemory() (int64, error) {
	time.Sleep(rest)
	if err := c.server.settle(); err != nil {
		return 0, err
	}
	return memory(c.server.pid)
}

func echo(o *options) error {
	return withCrowd(o, func(c *crowd) error { return c.echo(o) })
}

func (c *crowd) echo(o *options) error {
	s := c.swarm
	if err := s.begin(0); err != nil {
		return err
	}
	if err := s.run(s.now()+warmUp, int64(o.requests)); err != nil {
		return err
	}
	costs, err := c.measure(o)
	if err != nil {
		return err
	}
	measured := s.latency // without those that finish adds
	if err := s.finish(); err != nil {
		return err
	}
	costs = append(costs,
		metric{float64(measured.quantile(0.5)), "p50-ns"},
		metric{float64(measured.quantile(0.99)), "p99-ns"})
	if o.conns >= 100 { // a page more or less is much for a few
		after, err := memory(c.server.pid)
		if err != nil {
			return err
		}
		costs = append(costs, metric{float64(after-c.before) / float64(o.conns), "B/conn"})
	}
	printLine(fmt.Sprintf("%s/conns=%d/size=%d", o.work, o.conns, o.size), o.peer, measured.n, costs...)
	return nil
}

// measure runs the swarm for the time that is measured, and leaves its latencies
// there.
func (c *crowd) measure(o *options) ([]metric, error) {
	server, load := newMeter(c.server.pid, o.server), &meter{pid: os.Getpid()}
	defer server.close()
	for _, m := range []*meter{server, load} {
		if _, _, err := m.read(); err != nil {
			return nil, err
		}
	}
	s := c.swarm
	s.latency = histogram{}
	began := s.now()
	if err := s.run(began+o.duration, int64(o.requests)); err != nil {
		return nil, err
	}
	took, n := s.now()-began, float64(max(s.latency.n, 1))
	used, user, err := server.read()
	if err != nil {
		return nil, err
	}
	loadUsed, _, err := load.read()
	if err != nil {
		return nil, err
	}
	return []metric{
		{float64(used) / n, "cpu-ns/op"},
		{float64(user) / n, "user-ns/op"},
		{n / took.Seconds(), "op/s"},
		{float64(used) / float64(took), "cores"},
		{float64(loadUsed) / float64(took), "load-cores"},
	}, nil
}

// idle measures the memory of connections that have said something once.
func idle(o *options) error {
	return withCrowd(o, func(c *crowd) error {
		after, err := c.settledMemory()
		if err != nil {
			return err
		}
		printLine(fmt.Sprintf("Idle/conns=%d", o.conns), o.peer, int64(o.conns),
			metric{float64(after-c.before) / float64(o.conns), "B/conn"})
		return nil
	})
}
