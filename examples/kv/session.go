package main

// A peer is the connection of a session.
type peer interface {
	Enqueue(p []byte)
	Unsent() int
	Abort()
}

// A session is a client with what it has told the server.
type session struct {
	*engine
	peer    peer
	parser  parser
	db      *database
	id      int
	name    string
	tx      transaction
	subs    subscriptions
	waiting *waiter // the request that has to wait, if any
	closing bool    // after the replies so far
}

func (e *engine) open(p peer) *session {
	e.lastID++
	e.stats.connections++
	e.stats.clients++
	return &session{engine: e, peer: p, parser: parser{maxBulk: e.bulk}, db: e.dbs[0], id: e.lastID}
}

// close forgets all that the engine has of the session.
func (s *session) close() {
	s.forget()
	s.stats.clients--
}

// forget makes the session as if it had just been opened.
func (s *session) forget() {
	s.unsubscribeAll()
	s.tx.end(s)
	s.db, s.name = s.dbs[0], ""
}

// maxReplies is how many bytes of replies are collected before they are sent. So
// much, and one reply more, is what a client can make the server hold by not
// reading.
const maxReplies = 64 << 10

// consume executes the requests at the beginning of buf, as far as they are
// complete, and returns their length. It stops where one has to wait, where the
// connection is to be closed, and where there are many replies; incomplete says
// that it was none of these, and that there will be nothing to do before more is
// received.
func (s *session) consume(buf []byte) (n int, incomplete bool) {
	for s.waiting == nil && !s.closing && !s.out.over && len(s.out.buf) < maxReplies {
		args, size, err := s.parser.next(buf[n:], s.args[:0])
		if err != nil {
			s.out.error(err.Error())
			s.closing = true
			return n, false
		}
		if size == 0 {
			return n, true
		}
		n += size
		if len(args) > 0 {
			s.execute(args)
			if s.args = args; cap(args) > 1024 {
				s.args = nil // that was an exception
			}
		}
	}
	return n, false
}
