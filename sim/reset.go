package sim

import (
	"syscall"
	"time"
)

// sendReset ends the connection for the other side.
func (s *stream) sendReset() {
	if s.peer == nil {
		return
	}
	p := s.packet(PacketRST)
	p.arrives = func(*packet) { s.peer.receiveReset() }
	p.lost = s.peer.suspect // nobody will send it again
	s.at.n.send(p)
}

// receiveReset is called when the other side has ended the connection.
func (s *stream) receiveReset() {
	switch {
	case s.state == synReceived: // no program knows of it
		s.vanish()
		s.at.remove(s)
	case s.state == synSent:
		s.fail(syscall.ECONNREFUSED)
	case s.in.ended:
		s.fail(syscall.EPIPE)
	default:
		s.fail(syscall.ECONNRESET)
	}
}

// cutOff resets the connection at both ends: somebody on the way does.
func (s *stream) cutOff() {
	s.later(s.receiveReset)
	if s.peer != nil {
		s.peer.later(s.peer.receiveReset)
	}
}

// SetKeepAlive is what aionet asks of TCP. An idle connection is only probed while there
// is a reason to: real probes change nothing but when the other side does not answer.
func (s *stream) SetKeepAlive(d time.Duration) error {
	s.keepAlive = d
	if s.peer != nil && (s.severed() || s.peer.state == dead) {
		s.suspect()
	}
	return nil
}

// severed reports whether the other side cannot be asked, or cannot answer.
func (s *stream) severed() bool {
	n := s.at.n
	return len(n.cuts) > 0 && (n.blocked(s.at, s.there) || n.blocked(s.there, s.at))
}

// suspect is called when the other side may be gone without a word.
func (s *stream) suspect() {
	if s.state == open && !s.closed && s.keepAlive > 0 && s.pinger == nil {
		s.pinger = s.at.n.w.callLater(s.keepAlive, s.ping)
	}
}

// ping probes the other side.
func (s *stream) ping() {
	s.pinger = nil
	switch {
	case s.severed() && s.pings == maxKeepAlives:
		s.giveUp()
	case s.severed():
		s.pings++
		s.suspect()
	case s.peer.state == dead:
		s.later(s.receiveReset)
	default:
		s.pings = 0
	}
}
