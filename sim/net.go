package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/asyncio-go/asyncio/aionet"
)

// A Network is what joins the hosts of a world. Package aionet uses it on a simulated
// loop: connections behave as those of TCP on Linux do, datagrams as those of UDP, on
// the world's clock. When packets arrive, how much a read or a write moves, and which
// packets are lost, is drawn, so it is explored, replayed and shrunk with the schedule.
//
// Every host has an address of its own, and so have, together, the tasks that are on no
// host: they count as a host that is called "world", and where a method takes hosts, nil
// stands for it. Packets between two sockets of one host cannot be lost or held up.
//
// Its methods belong to the run's loop. None of them awaits but Connect and Lookup.
//
// TLS runs over it, too. What crypto/tls draws at random changes no step of a run, as
// long as it is always equally long: take a certificate whose key is of Ed25519, say,
// because the signatures of ECDSA are not.
type Network struct {
	w      *World
	stacks []*stack // of the hosts that have used the network, in the order in which they did
	over   bool     // the run has ended

	latency     span
	links       []link // those with a latency of their own
	loss        int    // of a hundred packets
	duplication int    // of a hundred datagrams
	reordering  int
	buffer      int64 // that each direction of a connection has at each end
	rule        func(p Packet) Verdict
	cuts        []cut
	held        []*packet // in the order in which they were stopped
}

var _ aionet.Network = (*Network)(nil)

// The conditions of a network that nobody has changed.
const (
	minLatency    = time.Millisecond
	maxLatency    = 10 * time.Millisecond
	defaultBuffer = 64 << 10
)

// loopback is the latency between two sockets of one host.
var loopback = span{10 * time.Microsecond, 40 * time.Microsecond}

func newNetwork(w *World) Network {
	return Network{w: w, latency: span{minLatency, maxLatency}, buffer: defaultBuffer}
}

// Net is the world's network.
func (w *World) Net() *Network { return &w.net }

// A span is a range of latencies.
type span struct{ min, max time.Duration }

// A link is a pair of hosts with a latency of its own.
type link struct {
	a, b *stack
	span
}

// SetLatency sets how long packets between hosts are under way, 1 to 10 ms unless it is
// called. Those of one direction of a connection stay in order.
func (n *Network) SetLatency(min, max time.Duration) { n.latency = spanOf("SetLatency", min, max) }

// SetLinkLatency is [Network.SetLatency] for the packets between two hosts, or with the
// same host twice for those between its own sockets.
func (n *Network) SetLinkLatency(a, b *Host, min, max time.Duration) {
	s := spanOf("SetLinkLatency", min, max)
	n.links = append(n.links, link{n.stackOf(a), n.stackOf(b), s})
}

func spanOf(method string, min, max time.Duration) span {
	if min < 0 || max < min {
		panic(fmt.Sprintf("sim: Network.%s(%v, %v): give the shortest latency, which is not negative, and the longest", method, min, max))
	}
	return span{min, max}
}

// spanBetween is the latency from one host to another.
func (n *Network) spanBetween(a, b *stack) span {
	for _, l := range slices.Backward(n.links) { // the last that was set
		if l.a == a && l.b == b || l.a == b && l.b == a {
			return l.span
		}
	}
	if a == b {
		return loopback
	}
	return n.latency
}

// SetLoss has so many of a hundred packets lost. What is lost of a connection is sent
// again, a little later; a datagram is gone.
func (n *Network) SetLoss(percent int) { n.loss = percentage("SetLoss", percent) }

// SetDuplication has so many of a hundred datagrams arrive twice.
func (n *Network) SetDuplication(percent int) { n.duplication = percentage("SetDuplication", percent) }

// SetReordering has so many of a hundred datagrams be late, so that later ones overtake
// them.
func (n *Network) SetReordering(percent int) { n.reordering = percentage("SetReordering", percent) }

func percentage(method string, percent int) int {
	if percent < 0 || percent > 100 {
		panic(fmt.Sprintf("sim: Network.%s(%d): it is of a hundred; give 0 to 100", method, percent))
	}
	return percent
}

// SetBuffers sets how many bytes the sending and the receiving side of a connection
// hold, each, before a writer has to wait: 64 KiB unless it is called. Connections that
// exist keep what they have.
func (n *Network) SetBuffers(bytes int) {
	if bytes < 1 {
		panic(fmt.Sprintf("sim: Network.SetBuffers(%d): nothing could be sent; give at least 1", bytes))
	}
	n.buffer = int64(bytes)
}

// Open lists the sockets that programs hold open, host by host in the order in which
// these came to the network. A test that has closed everything finds it empty.
func (n *Network) Open() []string {
	var all []string
	for _, at := range n.stacks {
		for _, s := range at.sockets {
			if s.held() {
				all = append(all, at.name()+": "+s.String())
			}
		}
	}
	return all
}

// close ends the network with the loop of the run. Nobody is told: no task is left.
func (n *Network) close() {
	n.over = true
	for _, at := range n.stacks {
		at.vanish()
	}
	n.held = nil
}

// crash ends every socket of a host, without a word: its connections at the other side
// learn of it when they next send or are probed, or at once if reset. What it has sent
// and did not arrive is lost.
func (n *Network) crash(h *Host, reset bool) {
	at := n.stackOf(h)
	at.boots++
	for _, s := range at.vanish() {
		if c, ok := s.(*stream); ok && c.peer != nil {
			if c.peer.suspect(); c.peer.state == synSent {
				c.peer.stall() // it was granted, and will not hear of it
			}
			if reset {
				c.peer.later(c.peer.receiveReset)
			}
		}
	}
}
