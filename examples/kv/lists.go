package main

func listCommands() []command {
	return []command{
		{"lpush", -3, 0, (*session).lpush},
		{"rpush", -3, 0, (*session).rpush},
		{"lpop", -2, 0, (*session).lpop},
		{"rpop", -2, 0, (*session).rpop},
		{"llen", 2, 0, (*session).llen},
		{"lindex", 3, 0, (*session).lindex},
		{"lrange", 4, 0, (*session).lrange},
		{"blpop", -3, 0, (*session).blpop},
		{"brpop", -3, 0, (*session).brpop},
	}
}

// A list is a list value.
type list struct {
	entry
	deque
}

func (*list) kind() string { return "list" }

func (s *session) lpush(args [][]byte) { s.push(args, true) }
func (s *session) rpush(args [][]byte) { s.push(args, false) }

func (s *session) push(args [][]byte, left bool) {
	key := args[1]
	l, ok := find[*list](s, key)
	if !ok {
		return
	}
	if l == nil {
		l = &list{}
		s.db.put(key, l)
	}
	for _, v := range args[2:] {
		l.push(left, string(v))
	}
	s.db.grown(l)
	s.out.int(l.len())
}

// grown is called after something was pushed.
func (d *database) grown(l *list) {
	d.touch(l.key)
	if len(d.waiters[l.key]) > 0 {
		d.ready = append(d.ready, readyList{d, l.key})
	}
}

func (s *session) lpop(args [][]byte) { s.pop(args, "lpop", true) }
func (s *session) rpop(args [][]byte) { s.pop(args, "rpop", false) }

func (s *session) pop(args [][]byte, name string, left bool) {
	count, many := 1, len(args) == 3
	ok := true
	switch {
	case len(args) > 3:
		s.out.error(wrongArity(name))
		return
	case many:
		if count, ok = s.positive(args[2]); !ok {
			return
		}
	}
	l, ok := find[*list](s, args[1])
	switch {
	case !ok:
		return
	case l == nil && many:
		s.out.nullArray()
		return
	case l == nil:
		s.out.null()
		return
	}
	count = min(count, l.len())
	if many {
		s.out.array(count)
	}
	for range count {
		s.out.text(l.pop(left))
	}
	if count > 0 {
		s.db.shrunk(&l.entry, l.len())
	}
}

func (s *session) llen(args [][]byte) {
	switch l, ok := find[*list](s, args[1]); {
	case !ok:
	case l == nil:
		s.out.int(0)
	default:
		s.out.int(l.len())
	}
}

func (s *session) lindex(args [][]byte) {
	l, ok := find[*list](s, args[1])
	if !ok {
		return
	}
	if l == nil {
		s.out.null()
		return
	}
	i, ok := s.integer(args[2])
	if !ok {
		return
	}
	if i < 0 {
		i += l.len()
	}
	if i < 0 || i >= l.len() {
		s.out.null()
		return
	}
	s.out.text(l.at(i))
}

func (s *session) lrange(args [][]byte) {
	first, last, ok := s.integers(args[2], args[3])
	if !ok {
		return
	}
	l, ok := find[*list](s, args[1])
	if !ok {
		return
	}
	if l == nil {
		s.out.array(0)
		return
	}
	from, to := clamp(first, last, l.len())
	s.out.array(to - from)
	for i := from; i < to; i++ {
		s.out.text(l.at(i))
	}
}
