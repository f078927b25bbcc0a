package main

func transactionCommands() []command {
	return []command{
		{"multi", 1, immediate, (*session).multi},
		{"exec", 1, immediate, (*session).exec},
		{"discard", 1, immediate, (*session).discard},
		{"watch", -2, immediate, (*session).watch},
		{"unwatch", 1, 0, (*session).unwatch},
	}
}

// A transaction is what MULTI begins, and what WATCH sees before it. Its requests
// are executed in one step of the loop, which is all that makes them atomic.
type transaction struct {
	open      bool // MULTI was called
	broken    bool // a request could not be queued
	dirty     bool // a watched key has changed
	executing bool
	queue     []queued
	size      int // bytes of the queue
	watched   []watched
}

type queued struct {
	command *command
	args    [][]byte
}

type watched struct {
	db  *database
	key string
}

// end ends the transaction, and all watching with it.
func (t *transaction) end(s *session) {
	for _, w := range t.watched {
		without(w.db.watchers, w.key, s)
	}
	*t = transaction{}
}

func (s *session) multi([][]byte) {
	if s.tx.open {
		s.out.error("ERR MULTI calls can not be nested")
		return
	}
	s.tx.open = true
	s.out.ok()
}

// enqueue keeps a copy of a request for EXEC: args are in the buffer of the
// connection.
func (s *session) enqueue(c *command, args [][]byte) {
	size := 0
	for _, arg := range args {
		size += len(arg) + 24
	}
	if s.tx.size += size; s.tx.size > s.request {
		s.reject("ERR transaction is too large")
		return
	}
	bytes := make([]byte, 0, size)
	q := queued{c, make([][]byte, len(args))}
	for i, arg := range args {
		from := len(bytes)
		bytes = append(bytes, arg...)
		q.args[i] = bytes[from:len(bytes):len(bytes)]
	}
	s.tx.queue = append(s.tx.queue, q)
	s.out.simple("QUEUED")
}

func (s *session) exec([][]byte) {
	t := s.tx
	if !t.open {
		s.out.error("ERR EXEC without MULTI")
		return
	}
	for _, w := range t.watched {
		w.db.find([]byte(w.key)) // that it expires is a change
	}
	t.dirty = s.tx.dirty
	s.tx.end(s)
	switch {
	case t.broken:
		s.out.error("EXECABORT Transaction discarded because of previous errors.")
	case t.dirty:
		s.out.nullArray()
	default:
		s.out.array(len(t.queue))
		s.tx.executing = true
		for _, q := range t.queue {
			q.command.run(s, q.args)
		}
		s.tx.executing = false
	}
}

func (s *session) discard([][]byte) {
	if !s.tx.open {
		s.out.error("ERR DISCARD without MULTI")
		return
	}
	s.tx.end(s)
	s.out.ok()
}

func (s *session) watch(args [][]byte) {
	if s.tx.open {
		s.out.error("ERR WATCH inside MULTI is not allowed")
		return
	}
	for _, key := range args[1:] {
		s.watchKey(key)
	}
	s.out.ok()
}

func (s *session) watchKey(key []byte) {
	w := watched{s.db, string(key)}
	for _, other := range s.tx.watched {
		if other == w {
			return
		}
	}
	s.db.find(key) // if it has expired, that is no change from here on
	s.tx.watched = append(s.tx.watched, w)
	s.db.watchers[w.key] = append(s.db.watchers[w.key], s)
}

func (s *session) unwatch([][]byte) {
	executing := s.tx.executing
	s.tx.end(s)
	s.tx.executing = executing
	s.out.ok()
}
