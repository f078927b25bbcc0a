package main

import (
	"math"
	"strconv"
	"time"
)

func stringCommands() []command {
	return []command{
		{"get", 2, 0, (*session).get},
		{"set", -3, 0, (*session).set},
		{"mget", -2, 0, (*session).mget},
		{"mset", -3, 0, (*session).mset},
		{"append", -3, 0, (*session).append},
		{"strlen", 2, 0, (*session).strlen},
		{"getrange", 4, 0, (*session).getrange},
		{"incr", 2, 0, (*session).incr},
		{"decr", 2, 0, (*session).decr},
		{"incrby", 3, 0, (*session).incrby},
		{"decrby", 3, 0, (*session).decrby},
	}
}

// A text is a string value. Nothing keeps its bytes but itself, so they are
// overwritten in place.
type text struct {
	entry
	bytes []byte
}

func (*text) kind() string { return "string" }

func (s *session) get(args [][]byte) {
	if t, ok := find[*text](s, args[1]); ok {
		s.textOrNull(t)
	}
}

func (s *session) textOrNull(t *text) {
	if t == nil {
		s.out.null()
	} else {
		s.out.bulk(t.bytes)
	}
}

type setOptions struct {
	nx, xx, get, keepTTL bool
	expires              int64
}

func (s *session) set(args [][]byte) {
	o, ok := s.setOptions(args[3:])
	if !ok {
		return
	}
	old := s.db.find(args[1])
	t, isText := old.(*text)
	if o.get {
		if old != nil && !isText {
			s.out.error(wrongType)
			return
		}
		s.textOrNull(t)
	}
	if o.keepTTL && old != nil {
		o.expires = old.head().expires
	}
	refused := o.nx && old != nil || o.xx && old == nil
	if !refused {
		s.store(args[1], t, args[2], o.expires)
	}
	switch {
	case o.get:
	case refused:
		s.out.null()
	default:
		s.out.ok()
	}
}

// store sets a key whose value so far is t, or no text.
func (s *session) store(key []byte, t *text, v []byte, expires int64) {
	if t == nil {
		t = &text{}
		s.db.put(key, t)
	}
	if cap(t.bytes) > 2*len(v)+64 {
		t.bytes = nil // it would keep much more than it needs
	}
	t.bytes = append(t.bytes[:0], v...)
	s.db.expireAt(&t.entry, expires)
	s.db.touch(string(key))
}

// setOptions reads the words behind SET key value. How the expiry is wrong is
// said only if nothing else is.
func (s *session) setOptions(words [][]byte) (o setOptions, ok bool) {
	var expiry, arg []byte
	for ; len(words) > 0; words = words[1:] {
		switch w := words[0]; {
		case is(w, "nx") && !o.xx:
			o.nx = true
		case is(w, "xx") && !o.nx:
			o.xx = true
		case is(w, "get"):
			o.get = true
		case is(w, "keepttl") && expiry == nil:
			o.keepTTL = true
		case isExpiry(w) && len(words) > 1 && expiry == nil && !o.keepTTL:
			expiry, arg = w, words[1]
			words = words[1:]
		default:
			s.out.error(syntax)
			return o, false
		}
	}
	if expiry != nil {
		o.expires, ok = s.expiry(expiry, arg)
		return o, ok
	}
	return o, true
}

func isExpiry(w []byte) bool {
	return is(w, "ex") || is(w, "px") || is(w, "exat") || is(w, "pxat")
}

// expiry is the time that an expiry of SET means.
func (s *session) expiry(w, arg []byte) (t int64, ok bool) {
	n, ok := s.integer(arg)
	if !ok {
		return 0, false
	}
	unit := time.Millisecond
	if is(w, "ex") || is(w, "exat") {
		unit = time.Second
	}
	var from int64
	if is(w, "ex") || is(w, "px") {
		from = s.now()
	}
	if t, ok = later(from, n, unit); !ok || n <= 0 {
		s.out.error("ERR invalid expire time in 'set' command")
		return 0, false
	}
	return t, true
}

// later is from and n units, in milliseconds.
func later(from int64, n int, unit time.Duration) (t int64, ok bool) {
	scale := int64(unit / time.Millisecond)
	if int64(n) > math.MaxInt64/scale || int64(n) < math.MinInt64/scale {
		return 0, false
	}
	ms := int64(n) * scale
	return from + ms, ms <= math.MaxInt64-from
}

func (s *session) mget(args [][]byte) {
	s.out.array(len(args) - 1)
	for _, key := range args[1:] {
		t, _ := s.db.find(key).(*text)
		s.textOrNull(t)
	}
}

func (s *session) mset(args [][]byte) {
	if len(args)%2 == 0 {
		s.out.error(wrongArity("mset"))
		return
	}
	for i := 1; i < len(args); i += 2 {
		t, _ := s.db.find(args[i]).(*text)
		s.store(args[i], t, args[i+1], 0)
	}
	s.out.ok()
}

func (s *session) append(args [][]byte) {
	t, ok := find[*text](s, args[1])
	if !ok {
		return
	}
	if t == nil {
		t = &text{}
		s.db.put(args[1], t)
	}
	if len(t.bytes)+len(args[2]) > s.bulk {
		s.out.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
		return
	}
	t.bytes = append(t.bytes, args[2]...)
	s.db.touch(string(args[1]))
	s.out.int(len(t.bytes))
}

func (s *session) strlen(args [][]byte) {
	switch t, ok := find[*text](s, args[1]); {
	case !ok:
	case t == nil:
		s.out.int(0)
	default:
		s.out.int(len(t.bytes))
	}
}

func (s *session) getrange(args [][]byte) {
	from, to, ok := s.integers(args[2], args[3])
	if !ok {
		return
	}
	t, ok := find[*text](s, args[1])
	if !ok {
		return
	}
	if t == nil {
		s.out.text("")
		return
	}
	n := len(t.bytes)
	if to < -n && (from >= 0 || from <= to) {
		to = -n // an end before the first character is at the first, for GETRANGE
	}
	from, to = clamp(from, to, n)
	s.out.bulk(t.bytes[from:to])
}

func (s *session) incr(args [][]byte) { s.add(args[1], 1) }
func (s *session) decr(args [][]byte) { s.add(args[1], -1) }

func (s *session) incrby(args [][]byte) {
	if n, ok := s.integer(args[2]); ok {
		s.add(args[1], n)
	}
}

func (s *session) decrby(args [][]byte) {
	switch n, ok := s.integer(args[2]); {
	case !ok:
	case n == math.MinInt64:
		s.out.error("ERR decrement would overflow")
	default:
		s.add(args[1], -n)
	}
}

func (s *session) add(key []byte, n int) {
	t, ok := find[*text](s, key)
	if !ok {
		return
	}
	var v int64
	if t != nil {
		if v, ok = parseInt(t.bytes); !ok {
			s.out.error(notInteger)
			return
		}
	}
	if v, ok = sum(v, int64(n)); !ok {
		s.out.error("ERR increment or decrement would overflow")
		return
	}
	if t == nil {
		t = &text{}
		s.db.put(key, t)
	}
	t.bytes = strconv.AppendInt(t.bytes[:0], v, 10)
	s.db.touch(string(key))
	s.out.int(int(v))
}
