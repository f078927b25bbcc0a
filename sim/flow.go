package sim

import (
	"slices"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio"
)

// The two directions of a connection. Places in a stream are counted in bytes from its
// beginning; its end counts as one more.
//
// Real TCP has a timer for everything that may be lost, and an acknowledgement for
// everything that has come. Here a timer is set when something is lost, because here that
// is known, and an acknowledgement is noticed when somebody waits for it. What programs see
// is the same. But while nothing is lost, a packet is one step of the run and not three,
// and a program whose tasks all wait for each other is found to be deadlocked: no timer
// says that something may still happen.

// outgoing is what one end sends.
type outgoing struct {
	buf  []byte // from una on: first what is under way, then what was not sent
	una  int64  // up to here everything has been acknowledged
	next int64  // what is sent next
	edge int64  // up to where the other side has room
	room int64  // for buf
	fin  bool   // nothing follows buf but the end
	over bool   // the end has been acknowledged

	acks    []ack           // that have not come yet, or were not looked at
	due     *asyncio.Handle // when the next comes, if somebody waits for it
	unheard bool            // the last that the other side has sent does not arrive

	retry *asyncio.Handle // set while something may be lost
	tries int             // in a row that were not acknowledged
}

// An ack says, at a time, what has arrived and what there is room for.
type ack struct {
	at         time.Duration
	next, edge int64
}

// incoming is what one end receives.
type incoming struct {
	buf   []byte // in order, and not read
	next  int64  // what is expected
	edge  int64  // up to where the other side may send
	room  int64  // for buf
	ended bool
}

// segment is the most that one packet carries: not what a wire carries, but what Linux
// hands to the hardware at once.
const segment = 16 << 10

// The times of Linux: see tcp(7), tcp_retries2 and tcp_syn_retries.
const (
	firstRetry    = 200 * time.Millisecond
	longestRetry  = 2 * time.Minute
	maxRetries    = 15          // 924.6 s
	firstSYN      = time.Second // and twice as long each time
	maxSYNs       = 6           // 127 s
	maxSYNsBack   = 5           // of the side that listens
	maxKeepAlives = 9
)

func (o *outgoing) free() int { return int(max(o.room-int64(len(o.buf)), 0)) }

// end is the place after buf.
func (o *outgoing) end() int64 { return o.una + int64(len(o.buf)) }

// push sends as much as there is room for at the other side.
func (s *stream) push(again bool) {
	if s.state != open {
		return
	}
	o := &s.out
	for {
		n := min(o.end(), o.edge, o.next+segment) - o.next
		if n <= 0 {
			break
		}
		from := o.next - o.una
		s.sendData(PacketData, slices.Clone(o.buf[from:from+n]), again)
		o.next += n
	}
	if o.fin && !o.over && o.next == o.end() {
		s.sendData(PacketFIN, nil, again)
		o.next++
	}
	s.expectAcks() // which may make room for the rest
	if s.blind() {
		s.stall()
	}
}

// blind reports whether there may be room for the rest, and what says so was lost.
func (s *stream) blind() bool { return s.out.unheard && s.out.next < s.out.end() }

func (s *stream) sendData(kind PacketKind, data []byte, again bool) {
	p := s.packet(kind)
	p.Data, p.Again, p.seq = data, again, s.out.next
	p.arrives = s.peer.receive
	s.at.n.send(p)
}

// packet is one to the other end that the sender repeats if it is lost.
func (s *stream) packet(kind PacketKind) *packet {
	return &packet{
		Packet: Packet{Kind: kind, From: s.addr, To: s.remote.addr},
		from:   s.at, to: s.there, order: &s.order,
		lost: s.stall, refuse: s.cutOff,
	}
}

// receive takes data, or the end, that have arrived.
func (s *stream) receive(p *packet) {
	in := &s.in
	if s.state == synReceived {
		s.establish()
	}
	switch {
	case s.state == dead:
		s.sendReset()
		return
	case s.closed && p.seq+int64(len(p.Data)) > in.next: // nobody will read it
		s.at.remove(s)
		s.die()
		s.sendReset()
		return
	}
	if p.seq <= in.next {
		data := p.Data[min(in.next-p.seq, int64(len(p.Data))):]
		in.buf = append(in.buf, data...)
		in.next += int64(len(data))
		if p.Kind == PacketFIN && p.seq == in.next && !in.ended {
			in.ended = true
			in.next++
			s.peer.settle()
		}
	}
	s.sendAck()
	if len(in.buf) > 0 || in.ended {
		wake(&s.readable)
	}
}

// settle forgets an end that was closed and has nothing left to send.
func (s *stream) settle() {
	if s.closed {
		s.at.remove(s)
	}
}

// consume takes n bytes that were read out of the buffer, and says so to the other side
// once there is room for much more than it knows of.
func (s *stream) consume(n int) {
	in := &s.in
	if in.buf = in.buf[n:]; len(in.buf) == 0 {
		in.buf = nil
	}
	if s.state == open && !in.ended && in.nextEdge()-in.edge >= (in.room+1)/2 {
		s.sendAck()
	}
}

func (in *incoming) nextEdge() int64 { return in.next + in.room - int64(len(in.buf)) }

// sendAck says what has come. While nobody waits for it, it costs no step.
func (s *stream) sendAck() {
	s.in.edge = max(s.in.edge, s.in.nextEdge())
	p := s.packet(PacketACK)
	p.seq, p.edge = s.in.next, s.in.edge
	p.arrives = s.peer.hear
	p.lost = func() {
		s.peer.out.unheard = true
		s.peer.stall()
	}
	s.at.n.send(p)
}

// hear is told of an acknowledgement that will arrive, at the time of the other side's
// order.
func (s *stream) hear(p *packet) {
	if s.state == dead || s.state == synSent {
		return
	}
	s.out.unheard = false
	s.absorb()
	s.out.acks = append(s.out.acks, ack{*p.order, p.seq, p.edge}) // which even without latency comes in a step of its own
	s.expectAcks()
}

// absorb takes in the acknowledgements that have come.
func (s *stream) absorb() {
	o, now := &s.out, s.at.n.w.Now()
	for len(o.acks) > 0 && o.acks[0].at <= now {
		a := o.acks[0]
		o.acks = o.acks[1:]
		o.over = o.over || a.next > o.end()
		o.buf = o.buf[min(max(a.next-o.una, 0), int64(len(o.buf))):]
		o.una, o.edge = max(o.una, a.next), max(o.edge, a.edge)
		o.next, o.tries = max(o.next, o.una), 0
		if s.state == synReceived {
			s.establish()
		}
	}
}

// expectAcks has the next acknowledgement noticed when it comes, if it makes a
// difference.
func (s *stream) expectAcks() {
	o := &s.out
	waits := s.writable != nil || s.state == synReceived || o.next < o.end()
	if waits && len(o.acks) > 0 && o.due == nil {
		o.due = s.at.n.w.callLater(o.acks[0].at-s.at.n.w.Now(), s.heard)
	}
}

// heard is called when an acknowledgement has come that somebody waits for.
func (s *stream) heard() {
	s.out.due = nil
	s.absorb()
	s.push(false)
	if s.out.free() > 0 {
		wake(&s.writable)
	}
	s.expectAcks() // whoever waits may wait on
}

// stall is called when something was lost. What is not acknowledged by the time it
// should be is sent again.
func (s *stream) stall() {
	if s.state == dead || s.out.retry != nil {
		return
	}
	d := min(firstRetry<<s.out.tries, longestRetry)
	if s.state != open {
		d = firstSYN << s.out.tries
	}
	s.out.retry = s.at.n.w.callLater(d, s.sendAgain)
}

// sendAgain sends what was not acknowledged, or gives up.
func (s *stream) sendAgain() {
	s.out.retry = nil
	s.absorb()
	o := &s.out
	if s.state == open && o.una == o.next && !s.blind() {
		s.push(false)
		return
	}
	if o.tries == s.maxTries() {
		s.giveUp()
		return
	}
	o.tries++
	if s.state == open {
		o.next = o.una
		if s.push(true); o.next == o.una {
			s.sendData(PacketData, nil, true) // which is answered with what room there is
		}
	} else {
		s.sendSYN(true)
	}
	s.stall()
}

func (s *stream) maxTries() int {
	switch s.state {
	case synSent:
		return maxSYNs
	case synReceived:
		return maxSYNsBack
	}
	return maxRetries
}

// giveUp ends a connection of which nothing was heard for long.
func (s *stream) giveUp() {
	if s.state == synReceived { // no program knows of it
		s.vanish()
		s.at.remove(s)
	}
	s.fail(syscall.ETIMEDOUT)
	if s.peer != nil {
		s.peer.suspect()
	}
}
