package main

import (
	"strconv"
	"time"
)

func keyCommands() []command {
	return []command{
		{"del", -2, 0, (*session).del},
		{"unlink", -2, 0, (*session).del},
		{"exists", -2, 0, (*session).exists},
		{"expire", -3, 0, (*session).expire},
		{"pexpire", -3, 0, (*session).pexpire},
		{"ttl", 2, 0, (*session).ttl},
		{"pttl", 2, 0, (*session).pttl},
		{"persist", 2, 0, (*session).persist},
		{"type", 2, 0, (*session).typeOf},
		{"keys", 2, 0, (*session).keys},
		{"scan", -2, 0, (*session).scan},
		{"dbsize", 1, 0, (*session).dbsize},
		{"flushdb", -1, 0, (*session).flushdb},
		{"flushall", -1, 0, (*session).flushall},
	}
}

func (s *session) del(args [][]byte) {
	n := 0
	for _, key := range args[1:] {
		if v := s.db.find(key); v != nil {
			s.db.remove(v.head())
			n++
		}
	}
	s.out.int(n)
}

func (s *session) exists(args [][]byte) {
	n := 0
	for _, key := range args[1:] {
		if s.db.find(key) != nil {
			n++
		}
	}
	s.out.int(n)
}

func (s *session) typeOf(args [][]byte) {
	if v := s.db.find(args[1]); v != nil {
		s.out.simple(v.kind())
	} else {
		s.out.simple("none")
	}
}

func (s *session) expire(args [][]byte)  { s.expireIn("expire", args, time.Second) }
func (s *session) pexpire(args [][]byte) { s.expireIn("pexpire", args, time.Millisecond) }

func (s *session) expireIn(name string, args [][]byte, unit time.Duration) {
	o, ok := s.expireOptions(args[3:])
	if !ok {
		return
	}
	n, ok := s.integer(args[2])
	if !ok {
		return
	}
	t, ok := later(s.now(), n, unit)
	if !ok {
		s.out.error("ERR invalid expire time in '" + name + "' command")
		return
	}
	v := s.db.find(args[1])
	if v == nil || !o.allow(v.head().expires, t) {
		s.out.int(0)
		return
	}
	if t <= s.now() {
		s.db.remove(v.head())
	} else {
		s.db.expireAt(v.head(), t)
		s.db.touch(string(args[1]))
	}
	s.out.int(1)
}

// expireOptions say for which keys EXPIRE has an effect.
type expireOptions struct{ nx, xx, gt, lt bool }

func (s *session) expireOptions(words [][]byte) (o expireOptions, ok bool) {
	for _, w := range words {
		switch {
		case is(w, "nx"):
			o.nx = true
		case is(w, "xx"):
			o.xx = true
		case is(w, "gt"):
			o.gt = true
		case is(w, "lt"):
			o.lt = true
		default:
			s.out.error("ERR Unsupported option " + string(w))
			return o, false
		}
	}
	switch {
	case o.nx && (o.xx || o.gt || o.lt):
		s.out.error("ERR NX and XX, GT or LT options at the same time are not compatible")
	case o.gt && o.lt:
		s.out.error("ERR GT and LT options at the same time are not compatible")
	default:
		return o, true
	}
	return o, false
}

// allow reports whether an expiry, 0 if there is none, may be changed to t.
func (o expireOptions) allow(old, t int64) bool {
	switch {
	case o.nx && old != 0, o.xx && old == 0:
		return false
	case o.gt && (old == 0 || t <= old), o.lt && old != 0 && t >= old:
		return false
	}
	return true
}

func (s *session) ttl(args [][]byte)  { s.timeLeft(args[1], time.Second) }
func (s *session) pttl(args [][]byte) { s.timeLeft(args[1], time.Millisecond) }

func (s *session) timeLeft(key []byte, unit time.Duration) {
	v := s.db.find(key)
	switch {
	case v == nil:
		s.out.int(-2)
	case v.head().expires == 0:
		s.out.int(-1)
	default:
		scale := int64(unit / time.Millisecond)
		s.out.int(int((v.head().expires - s.now() + scale/2) / scale))
	}
}

func (s *session) persist(args [][]byte) {
	v := s.db.find(args[1])
	if v == nil || v.head().expires == 0 {
		s.out.int(0)
		return
	}
	s.db.expireAt(v.head(), 0)
	s.db.touch(string(args[1]))
	s.out.int(1)
}

func (s *session) keys(args [][]byte) {
	var found []string
	now, pattern := s.now(), string(args[1])
	for _, it := range s.db.keys.items {
		if t := it.value.head().expires; (t == 0 || t >= now) && match(pattern, it.key) {
			found = append(found, it.key)
		}
	}
	s.out.texts(found...)
}

func (s *session) scan(args [][]byte) {
	cursor, err := strconv.ParseUint(string(args[1]), 10, 64)
	if err != nil {
		s.out.error("ERR invalid cursor")
		return
	}
	pattern, kind, count := "*", "", 10
	for words := args[2:]; len(words) > 0; words = words[2:] {
		ok := len(words) > 1
		switch {
		case ok && is(words[0], "match"):
			pattern = string(words[1])
		case ok && is(words[0], "type"):
			kind = string(words[1])
		case ok && is(words[0], "count"):
			if count, ok = s.integer(words[1]); !ok {
				return
			}
			ok = count > 0
		default:
			ok = false
		}
		if !ok {
			s.out.error(syntax)
			return
		}
	}
	var found []string
	now := s.now()
	cursor = s.db.keys.scan(cursor, count, func(key string, v value) {
		if t := v.head().expires; t != 0 && t < now || !match(pattern, key) || kind != "" && kind != v.kind() {
			return
		}
		found = append(found, key)
	})
	s.out.array(2)
	s.out.text(strconv.FormatUint(cursor, 10))
	s.out.texts(found...)
}

func (s *session) dbsize([][]byte) { s.out.int(s.db.keys.len()) }

func (s *session) flushdb(args [][]byte) { s.empty(args, s.db) }

func (s *session) flushall(args [][]byte) { s.empty(args, s.dbs[:]...) }

func (s *session) empty(args [][]byte, dbs ...*database) {
	if len(args) > 2 || len(args) == 2 && !is(args[1], "sync") && !is(args[1], "async") {
		s.out.error(syntax)
		return
	}
	for _, d := range dbs {
		d.flush()
	}
	s.out.ok()
}
