package main

import "math"

// parseInt reads a number as Redis writes one: no plus sign, no space, no
// leading zero.
func parseInt(b []byte) (n int64, ok bool) {
	digits := b
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	var u uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	switch {
	case negative && u <= -math.MinInt64:
		return -int64(u), true
	case !negative && u <= math.MaxInt64:
		return int64(u), true
	}
	return 0, false
}

// sum reports whether it did not overflow.
func sum(a, b int64) (int64, bool) {
	s := a + b
	return s, (s > a) == (b > 0)
}

// integer is an argument that has to be a number; if it is none, the client is
// told.
func (s *session) integer(arg []byte) (n int, ok bool) {
	v, ok := parseInt(arg)
	if !ok {
		s.out.error(notInteger)
	}
	return int(v), ok
}

// integers are two arguments that have to be numbers.
func (s *session) integers(a, b []byte) (m, n int, ok bool) {
	if m, ok = s.integer(a); !ok {
		return 0, 0, false
	}
	n, ok = s.integer(b)
	return m, n, ok
}

// positive is an argument that has to be a number and not negative.
func (s *session) positive(arg []byte) (n int, ok bool) {
	v, ok := parseInt(arg)
	if !ok || v < 0 {
		s.out.error("ERR value is out of range, must be positive")
		return 0, false
	}
	return int(v), true
}

// clamp turns a range of something with n items, in which negative numbers count
// from the end and the last one is included, into one for a slice.
func clamp(first, last, n int) (from, to int) {
	if first < 0 {
		first = max(first+n, 0)
	}
	if last < 0 {
		last += n
	}
	if last = min(last, n-1); first > last {
		return 0, 0
	}
	return first, last + 1
}
