package sim

import (
	"fmt"
	"net/netip"
	"time"
)

// A Packet is what a rule is asked about.
type Packet struct {
	Kind     PacketKind
	From, To netip.AddrPort
	Data     []byte // of PacketData and Datagram; not to be changed, or kept
	Again    bool   // sent before, and not acknowledged
}

// String is the packet as a log shows it.
func (p Packet) String() string {
	return fmt.Sprintf("%s %v -> %v, %d bytes", p.Kind, p.From, p.To, len(p.Data))
}

// A PacketKind says what a packet is for.
type PacketKind string

// The kinds of packets. All but the last are those of connections.
const (
	PacketSYN  PacketKind = "SYN"      // asks for a connection, or grants one
	PacketACK  PacketKind = "ACK"      // says what has come, and how much room there is
	PacketData PacketKind = "DATA"     // up to 16 KiB of a stream
	PacketFIN  PacketKind = "FIN"      // the end of a stream
	PacketRST  PacketKind = "RST"      // the end of a connection
	Datagram   PacketKind = "DATAGRAM" // of UDP
)

// A Verdict is what becomes of a packet: one of the constants, or [Delay].
type Verdict int64

// The verdicts of a rule.
const (
	Deliver   Verdict = 0
	Drop      Verdict = -iota // a stream sends it again later, as TCP does
	Duplicate                 // it arrives twice; of a stream that makes no difference
	Reset                     // the connection is reset at both ends; a datagram is refused
)

// Delay is the verdict that a packet is so much longer under way. What follows it in a
// stream waits behind it; datagrams overtake it.
func Delay(d time.Duration) Verdict { return Verdict(max(d, 0)) }

// Rule has f decide on every packet between hosts that is sent from now on, one way or
// the other, in place of the rule before. Nil is no rule. f must not await, and draws
// with [World.Draw] and [World.Chance] if it wants to explore. A partition comes on top
// of what it says, and so does [Network.SetLoss].
func (n *Network) Rule(f func(p Packet) Verdict) { n.rule = f }

// A packet is a Packet on its way.
type packet struct {
	Packet
	from, to *stack
	boot     int            // the life of from in which it was sent
	order    *time.Duration // when what was sent before it arrives, or nil if that does not matter
	arrives  func(p *packet)
	lost     func() // it will not arrive, or not soon; nil if nobody has to know
	refuse   func() // it meets a Reset

	seq  int64 // of a stream: the place of the first byte, or of the next that is expected
	edge int64 // of PacketACK: up to where there is room
}

// noticeable is how late a packet must be for its sender to act.
const noticeable = time.Minute

// send puts a packet on its way.
func (n *Network) send(p *packet) {
	if n.over {
		return
	}
	p.boot = p.from.boots
	d := n.delay(p)
	if p.from == p.to {
		n.launch(p, d)
		return
	}
	v := Deliver
	if n.rule != nil {
		v = n.rule(p.Packet)
	}
	if v == Deliver && p.Kind != PacketACK && n.loss > 0 && n.w.chance(n.loss, "the loss of a packet") {
		v = Drop
	}
	switch {
	case v == Drop:
		n.tell(p, "lost")
		p.lose()
		return
	case v == Reset:
		n.tell(p, "reset")
		p.refuse()
		return
	case v > 0:
		if d += time.Duration(v); p.Kind == Datagram {
			p.order = nil
		}
	}
	if n.launch(p, d); v == Duplicate || p.Kind == Datagram && n.duplication > 0 && n.w.chance(n.duplication, "the duplication of a datagram") {
		n.launch(p, n.delay(p))
	}
}

// delay is how long the packet is under way: mostly the shortest time of the link.
// Acknowledgements always take that: what they change is seldom seen, and drawing for
// them would hide the draws that matter.
func (n *Network) delay(p *packet) time.Duration {
	const steps = 3
	s := n.spanBetween(p.from, p.to)
	d := s.min
	if s.max > s.min && p.Kind != PacketACK {
		d += (s.max - s.min) * time.Duration(n.w.s.draw(steps+1, "the latency of a packet")) / steps
	}
	if p.Kind == Datagram && n.reordering > 0 && n.w.chance(n.reordering, "the reordering of a datagram") {
		p.order = nil
		d += 2*s.max + time.Millisecond
	}
	return d
}

// launch has the packet arrive after d, and not before what it must not overtake.
func (n *Network) launch(p *packet, d time.Duration) {
	if n.stopped(p) {
		return
	}
	at := n.w.Now() + d
	if p.order != nil {
		at = max(at, *p.order)
		*p.order = at
	}
	if at-n.w.Now() >= noticeable {
		p.lose()
	}
	if p.Kind == PacketACK {
		p.arrives(p) // which keeps it until its time has come
		return
	}
	n.w.callLater(at-n.w.Now(), func() { n.arrive(p) })
}

// arrive is called when a packet has come to the other side, if nothing stops it there.
func (n *Network) arrive(p *packet) {
	if p.boot == p.from.boots && !n.stopped(p) {
		p.arrives(p)
	}
}

// tell adds a line to the report of a failure.
func (n *Network) tell(p *packet, what string) {
	if n.w.s.names != nil {
		n.w.Logf("network: %s: %v", what, p.Packet)
	}
}

// lose tells the sender that the packet will not arrive soon. Real senders learn of it by
// waiting in vain; here, who has nothing to wait for needs no timer.
func (p *packet) lose() {
	if p.lost != nil {
		p.lost()
	}
}
