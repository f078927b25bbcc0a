package main

import "math/rand/v2"

func setCommands() []command {
	return []command{
		{"sadd", -3, 0, (*session).sadd},
		{"srem", -3, 0, (*session).srem},
		{"smembers", 2, 0, (*session).smembers},
		{"sismember", 3, 0, (*session).sismember},
		{"scard", 2, 0, (*session).scard},
		{"sinter", -2, 0, (*session).sinter},
		{"sunion", -2, 0, (*session).sunion},
		{"spop", -2, 0, (*session).spop},
	}
}

// A set is a set value.
type set struct {
	entry
	dict[struct{}]
}

func (*set) kind() string { return "set" }

func (s *session) sadd(args [][]byte) {
	v, ok := find[*set](s, args[1])
	if !ok {
		return
	}
	if v == nil {
		v = &set{}
		s.db.put(args[1], v)
	}
	added := 0
	for _, member := range args[2:] {
		if v.put(string(member), struct{}{}) {
			added++
		}
	}
	if added > 0 {
		s.db.touch(string(args[1]))
	}
	s.out.int(added)
}

// setOf is the set of a key, or an empty one to read from.
func (s *session) setOf(key []byte) (v *set, ok bool) {
	v, ok = find[*set](s, key)
	if ok && v == nil {
		v = &set{}
	}
	return v, ok
}

func (s *session) srem(args [][]byte) {
	v, ok := s.setOf(args[1])
	if !ok {
		return
	}
	n := 0
	for _, member := range args[2:] {
		if v.remove(string(member)) {
			n++
		}
	}
	if n > 0 {
		s.db.shrunk(&v.entry, v.len())
	}
	s.out.int(n)
}

func (s *session) smembers(args [][]byte) {
	if v, ok := s.setOf(args[1]); ok {
		s.members(v)
	}
}

func (s *session) members(v *set) {
	s.out.array(v.len())
	for _, it := range v.items {
		s.out.text(it.key)
	}
}

func (s *session) sismember(args [][]byte) {
	if v, ok := s.setOf(args[1]); ok {
		s.out.bool(v.has(args[2]))
	}
}

func (s *session) scard(args [][]byte) {
	if v, ok := s.setOf(args[1]); ok {
		s.out.int(v.len())
	}
}

func (s *session) sinter(args [][]byte) {
	sets, ok := s.setsOf(args[1:])
	if !ok {
		return
	}
	smallest := sets[0]
	for _, v := range sets {
		if v.len() < smallest.len() {
			smallest = v
		}
	}
	var found []string
members:
	for _, it := range smallest.items {
		for _, v := range sets {
			if _, ok := v.index[it.key]; !ok {
				continue members
			}
		}
		found = append(found, it.key)
	}
	s.out.texts(found...)
}

func (s *session) sunion(args [][]byte) {
	sets, ok := s.setsOf(args[1:])
	if !ok {
		return
	}
	var all set
	for _, v := range sets {
		for _, it := range v.items {
			all.put(it.key, struct{}{})
		}
	}
	s.members(&all)
}

func (s *session) setsOf(keys [][]byte) (sets []*set, ok bool) {
	for _, key := range keys {
		v, ok := s.setOf(key)
		if !ok {
			return nil, false
		}
		sets = append(sets, v)
	}
	return sets, true
}

func (s *session) spop(args [][]byte) {
	count, many := 1, len(args) == 3
	ok := true
	switch {
	case len(args) > 3:
		s.out.error(syntax)
		return
	case many:
		if count, ok = s.positive(args[2]); !ok {
			return
		}
	}
	v, ok := s.setOf(args[1])
	if !ok {
		return
	}
	if v.len() == 0 && !many {
		s.out.null()
		return
	}
	count = min(count, v.len())
	if many {
		s.out.array(count)
	}
	for range count {
		member := v.items[rand.IntN(v.len())].key
		v.remove(member)
		s.out.text(member)
	}
	if count > 0 {
		s.db.shrunk(&v.entry, v.len())
	}
}
