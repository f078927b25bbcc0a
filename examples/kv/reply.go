package main

import "strconv"

const (
	wrongType  = "WRONGTYPE Operation against a key holding the wrong kind of value"
	notInteger = "ERR value is not an integer or out of range"
	syntax     = "ERR syntax error"
)

// A reply collects the replies to the requests that arrived together. Of a single
// request they may be many times what it was long: above max, nothing more is added.
type reply struct {
	buf  []byte
	max  int
	over bool // something is missing
}

func (r *reply) simple(s string) { r.line('+', s) }
func (r *reply) error(s string)  { r.line('-', s) }
func (r *reply) ok()             { r.buf = append(r.buf, "+OK\r\n"...) }
func (r *reply) null()           { r.buf = append(r.buf, "$-1\r\n"...) }
func (r *reply) nullArray()      { r.buf = append(r.buf, "*-1\r\n"...) }
func (r *reply) int(n int)       { r.number(':', n) }
func (r *reply) array(n int)     { r.number('*', n) }

func (r *reply) bool(b bool) {
	if b {
		r.int(1)
	} else {
		r.int(0)
	}
}

func (r *reply) bulk(b []byte) {
	if r.over = r.over || len(r.buf)+len(b) > r.max; r.over {
		return
	}
	r.number('$', len(b))
	r.buf = append(r.buf, b...)
	r.buf = append(r.buf, '\r', '\n')
}

func (r *reply) text(s string) {
	if r.over = r.over || len(r.buf)+len(s) > r.max; r.over {
		return
	}
	r.number('$', len(s))
	r.buf = append(r.buf, s...)
	r.buf = append(r.buf, '\r', '\n')
}

// texts is an array of bulk strings.
func (r *reply) texts(all ...string) {
	r.array(len(all))
	for _, s := range all {
		r.text(s)
	}
}

func (r *reply) number(kind byte, n int) {
	r.buf = append(r.buf, kind)
	r.buf = strconv.AppendInt(r.buf, int64(n), 10)
	r.buf = append(r.buf, '\r', '\n')
}

// line ends at its own end, whatever a client has put into s.
func (r *reply) line(kind byte, s string) {
	r.buf = append(r.buf, kind)
	for i := range len(s) {
		c := s[i]
		if c == '\r' || c == '\n' {
			c = ' '
		}
		r.buf = append(r.buf, c)
	}
	r.buf = append(r.buf, '\r', '\n')
}
