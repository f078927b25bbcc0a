package main

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// A waiter is a request that waits for an element of one of several lists. The
// request that pushes one takes it out of the list and gives it to the waiter
// that came first, in the same step: nobody gets in between.
type waiter struct {
	db      *database
	keys    []string
	left    bool
	timeout time.Duration // 0 is for ever
	wake    func()        // called once it is served
	served  bool
	key     string // of the list
	element string
}

// A readyList has got elements while somebody waits for them.
type readyList struct {
	db  *database
	key string
}

func (s *session) blpop(args [][]byte) { s.popOrWait(args, true) }
func (s *session) brpop(args [][]byte) { s.popOrWait(args, false) }

func (s *session) popOrWait(args [][]byte, left bool) {
	last := len(args) - 1
	timeout, ok := s.timeout(args[last])
	if !ok {
		return
	}
	for _, key := range args[1:last] {
		l, ok := find[*list](s, key)
		if !ok {
			return
		}
		if l != nil {
			s.out.array(2)
			s.out.bulk(key)
			s.out.text(l.pop(left))
			s.db.shrunk(&l.entry, l.len())
			return
		}
	}
	if s.tx.executing {
		s.out.nullArray() // all of a transaction happens now
		return
	}
	w := &waiter{db: s.db, left: left, timeout: timeout}
	for _, key := range args[1:last] {
		if k := string(key); !slices.Contains(w.keys, k) {
			w.keys = append(w.keys, k)
			s.db.waiters[k] = append(s.db.waiters[k], w)
		}
	}
	s.waiting = w
	s.stats.blocked++
}

func (s *session) timeout(arg []byte) (d time.Duration, ok bool) {
	seconds, err := strconv.ParseFloat(string(arg), 64)
	switch {
	case err != nil || math.IsNaN(seconds):
		s.out.error("ERR timeout is not a float or out of range")
	case seconds < 0:
		s.out.error("ERR timeout is negative")
	case seconds > math.MaxInt64/1000:
		s.out.error("ERR timeout is out of range")
	case seconds > math.MaxInt64/1e9:
		return math.MaxInt64, true
	default:
		return time.Duration(math.Ceil(seconds*1000)) * time.Millisecond, true
	}
	return 0, false
}

// serveWaiters gives what was pushed to those who wait for it. It is called when a
// request, or a whole transaction, has been executed.
func (e *engine) serveWaiters() {
	for _, r := range e.ready {
		for len(r.db.waiters[r.key]) > 0 {
			l, _ := r.db.find([]byte(r.key)).(*list)
			if l == nil {
				break
			}
			w := r.db.waiters[r.key][0]
			w.leave()
			w.served, w.key, w.element = true, r.key, l.pop(w.left)
			r.db.shrunk(&l.entry, l.len())
			w.wake()
		}
	}
	e.ready = e.ready[:0]
}

// leave takes the waiter out of the lines that it stands in.
func (w *waiter) leave() {
	for _, key := range w.keys {
		without(w.db.waiters, key, w)
	}
	w.db.stats.blocked--
}

// finish ends a wait. What was given to a client that is gone goes back to where it
// came from, and on to the next who waits for it.
func (s *session) finish(w *waiter, gone bool) {
	s.waiting = nil
	switch {
	case !w.served:
		w.leave()
		s.out.nullArray()
	case gone:
		w.giveBack()
	default:
		s.out.texts(w.key, w.element)
	}
}

func (w *waiter) giveBack() {
	v := w.db.find([]byte(w.key))
	l, isList := v.(*list)
	if v == nil {
		l = &list{}
		w.db.put([]byte(w.key), l)
	} else if !isList {
		return // the place it came from is somebody else's
	}
	l.push(w.left, w.element)
	w.db.grown(l)
	w.db.serveWaiters()
}
