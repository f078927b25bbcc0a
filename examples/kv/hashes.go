package main

import "strconv"

func hashCommands() []command {
	return []command{
		{"hset", -4, 0, (*session).hset},
		{"hget", 3, 0, (*session).hget},
		{"hmget", -3, 0, (*session).hmget},
		{"hdel", -3, 0, (*session).hdel},
		{"hlen", 2, 0, (*session).hlen},
		{"hexists", 3, 0, (*session).hexists},
		{"hkeys", 2, 0, (*session).hkeys},
		{"hvals", 2, 0, (*session).hvals},
		{"hgetall", 2, 0, (*session).hgetall},
		{"hincrby", 4, 0, (*session).hincrby},
	}
}

// A hash is a hash value.
type hash struct {
	entry
	dict[[]byte]
}

func (*hash) kind() string { return "hash" }

// set sets a field and reports whether it is new.
func (h *hash) set(field, v []byte) bool {
	old, _ := h.get(field)
	return h.put(string(field), append(old[:0], v...))
}

// hashFor is the hash of a key, which is made if there is none.
func (s *session) hashFor(key []byte) (h *hash, ok bool) {
	h, ok = find[*hash](s, key)
	if ok && h == nil {
		h = &hash{}
		s.db.put(key, h)
	}
	return h, ok
}

// hashOf is the hash of a key, or an empty one to read from.
func (s *session) hashOf(key []byte) (h *hash, ok bool) {
	h, ok = find[*hash](s, key)
	if ok && h == nil {
		h = &hash{}
	}
	return h, ok
}

func (s *session) hset(args [][]byte) {
	if len(args)%2 != 0 {
		s.out.error(wrongArity("hset"))
		return
	}
	h, ok := s.hashFor(args[1])
	if !ok {
		return
	}
	added := 0
	for i := 2; i < len(args); i += 2 {
		if h.set(args[i], args[i+1]) {
			added++
		}
	}
	s.db.touch(string(args[1]))
	s.out.int(added)
}

func (s *session) hget(args [][]byte) {
	if h, ok := s.hashOf(args[1]); ok {
		s.field(h, args[2])
	}
}

func (s *session) hmget(args [][]byte) {
	h, ok := s.hashOf(args[1])
	if !ok {
		return
	}
	s.out.array(len(args) - 2)
	for _, field := range args[2:] {
		s.field(h, field)
	}
}

func (s *session) field(h *hash, field []byte) {
	if v, ok := h.get(field); ok {
		s.out.bulk(v)
	} else {
		s.out.null()
	}
}

func (s *session) hdel(args [][]byte) {
	h, ok := s.hashOf(args[1])
	if !ok {
		return
	}
	n := 0
	for _, field := range args[2:] {
		if h.remove(string(field)) {
			n++
		}
	}
	if n > 0 {
		s.db.shrunk(&h.entry, h.len())
	}
	s.out.int(n)
}

func (s *session) hlen(args [][]byte) {
	if h, ok := s.hashOf(args[1]); ok {
		s.out.int(h.len())
	}
}

func (s *session) hexists(args [][]byte) {
	if h, ok := s.hashOf(args[1]); ok {
		s.out.bool(h.has(args[2]))
	}
}

func (s *session) hkeys(args [][]byte)   { s.fields(args[1], true, false) }
func (s *session) hvals(args [][]byte)   { s.fields(args[1], false, true) }
func (s *session) hgetall(args [][]byte) { s.fields(args[1], true, true) }

func (s *session) fields(key []byte, names, values bool) {
	h, ok := s.hashOf(key)
	if !ok {
		return
	}
	n := h.len()
	if names && values {
		n *= 2
	}
	s.out.array(n)
	for _, it := range h.items {
		if names {
			s.out.text(it.key)
		}
		if values {
			s.out.bulk(it.value)
		}
	}
}

func (s *session) hincrby(args [][]byte) {
	n, ok := s.integer(args[3])
	if !ok {
		return
	}
	h, ok := s.hashOf(args[1])
	if !ok {
		return
	}
	var v int64
	if old, ok := h.get(args[2]); ok {
		if v, ok = parseInt(old); !ok {
			s.out.error("ERR hash value is not an integer")
			return
		}
	}
	if v, ok = sum(v, int64(n)); !ok {
		s.out.error("ERR increment or decrement would overflow")
		return
	}
	if h, ok = s.hashFor(args[1]); ok {
		h.set(args[2], strconv.AppendInt(nil, v, 10))
		s.db.touch(string(args[1]))
		s.out.int(int(v))
	}
}
