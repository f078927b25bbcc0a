package main

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// conversations are what a client may send and everything that it gets, until the
// server closes the connection.
var conversations = []struct{ name, sent, got string }{
	{"a request", request("SET", "a", "b") + "QUIT\r\n", "+OK +OK"},
	{"binary", request("PING", "a\r\n\x00b") + "QUIT\r\n", `$5 a \x00b +OK`},
	{"nothing", "\r\n\r\n*0\r\n*-1\r\n \r\nQUIT\r\n", "+OK"},
	{"pipeline", strings.Repeat(request("PING"), 3) + "PING\r\nQUIT\r\nPING\r\n", "+PONG +PONG +PONG +PONG +OK"},
	{"line feeds only", "ping\nQUIT\n", "+PONG +OK"},
	{"quotes", `PING "\x41\n\t\"\\ b"` + "\r\n" + `PING 'a\'b\n'` + "\r\nPING \"\"\r\nQUIT\r\n", `$7 A\n\t"\\ b $5 a'b\\n $0  +OK`},
	{"glued quotes", "ECHO a\"b c\"\r\nQUIT\r\n", "$4 ab c +OK"},
	{"what ends an argument is not looked at", "*1\r\n$4\r\nPINGxxQUIT\r\n", "+PONG +OK"},

	{"open quote", "PING \"a\r\n", "-ERR Protocol error: unbalanced quotes in request"},
	{"open single quote", "PING 'a\\'\r\n", "-ERR Protocol error: unbalanced quotes in request"},
	{"quote in a word", "PING \"a\"b\r\n", "-ERR Protocol error: unbalanced quotes in request"},
	{"endless inline", strings.Repeat("x", maxLine+10), "-ERR Protocol error: too big inline request"},
	{"endless count", "*" + strings.Repeat("1", maxLine+10), "-ERR Protocol error: too big mbulk count string"},
	{"endless length", "*1\r\n$" + strings.Repeat("1", maxLine+10), "-ERR Protocol error: too big bulk count string"},
	{"negative length", "*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length"},
	{"very negative length", "*2\r\n$4\r\nPING\r\n$-9223372036854775808\r\n", "-ERR Protocol error: invalid bulk length"},
	{"length above the limit", "*1\r\n$536870913\r\n", "-ERR Protocol error: invalid bulk length"},
	{"length above all", "*1\r\n$99999999999999999999\r\n", "-ERR Protocol error: invalid bulk length"},
	{"length with a plus", "*1\r\n$+4\r\nPING\r\n", "-ERR Protocol error: invalid bulk length"},
	{"length with a zero", "*1\r\n$04\r\nPING\r\n", "-ERR Protocol error: invalid bulk length"},
	{"empty length", "*1\r\n$\r\nPING\r\n", "-ERR Protocol error: invalid bulk length"},
	{"count above the limit", "*2147483648\r\n", "-ERR Protocol error: invalid multibulk length"},
	{"count above all", "*99999999999999999999\r\n", "-ERR Protocol error: invalid multibulk length"},
	{"no count", "*x\r\n", "-ERR Protocol error: invalid multibulk length"},
	{"empty count", "*\r\n", "-ERR Protocol error: invalid multibulk length"},
	{"no dollar", "*1\r\n:3\r\n", "-ERR Protocol error: expected '$', got ':'"},
	{"no line at all", "*1\r\n\r\nPING\r\n", "-ERR Protocol error: expected '$', got ' '"},
	{"carriage returns only", "*1\r0\r0", "-ERR Protocol error: expected '$', got ' '"},
	{"inline in a request", "*2\r\nPING\r\n", "-ERR Protocol error: expected '$', got 'P'"},
	{"after a reply", "PING\r\n*1\r\n$-5\r\nPING\r\n", "+PONG -ERR Protocol error: invalid bulk length"},
	{"in a transaction", "MULTI\r\nPING\r\n*1\r\n$-5\r\n", "+OK +QUEUED -ERR Protocol error: invalid bulk length"},
}

func TestProtocol(t *testing.T) {
	for _, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{len(c.sent), 1, 7} {
				if len(c.sent) > maxLine && size < 100 {
					size = maxLine / 4
				}
				got, open := feed(c.sent, size)
				if show(got) != c.got {
					t.Errorf("in pieces of %d: got %s, want %s", size, show(got), c.got)
				}
				if open {
					t.Errorf("in pieces of %d: the connection stays open", size)
				}
			}
		})
	}
}

func TestProtocol_IsThatOfRedis(t *testing.T) {
	socket := startRedis(t)
	for _, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			client := dial(t, "unix", socket)
			client.write(c.sent)
			got, err := io.ReadAll(client.r)
			if err != nil {
				t.Fatal(err)
			}
			if show(string(got)) != c.got {
				t.Errorf("got %s, want %s", show(string(got)), c.got)
			}
		})
	}
}

// feed lets a session receive data in pieces, each time in another buffer, and
// returns what it replies and whether it is still open.
func feed(data string, size int) (replies string, open bool) {
	s := newEngine(newClock().now, defaultLimits).open(&local{})
	var buf []byte
	for piece := range slices.Chunk([]byte(data), max(size, 1)) {
		buf = append(slices.Clone(buf), piece...)
		for {
			n, incomplete := s.consume(buf)
			buf = buf[n:]
			if incomplete || s.closing || s.waiting != nil {
				break
			}
			replies += string(s.out.buf)
			s.out.buf = s.out.buf[:0]
		}
	}
	return replies + string(s.out.buf), !s.closing
}

// FuzzProtocol checks that it does not matter in which pieces data comes.
func FuzzProtocol(f *testing.F) {
	for _, c := range conversations {
		if len(c.sent) < 200 {
			f.Add(c.sent, byte(3))
		}
	}
	f.Add("*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n*1\r\n$4\r\nPING\r\n", byte(1))
	f.Fuzz(func(t *testing.T, data string, size byte) {
		if strings.Contains(strings.ToLower(data), "in") { // INFO tells of memory
			return
		}
		whole, _ := feed(data, len(data))
		pieces, _ := feed(data, int(size))
		if whole != pieces {
			t.Errorf("at once %q, in pieces of %d %q", whole, size, pieces)
		}
	})
}

func TestProtocol_AllocatesNothing(t *testing.T) {
	s := newEngine(newClock().now, defaultLimits).open(&local{})
	requests := []byte(request("SET", "key", "value") + request("GET", "key") + request("INCR", "n") + request("PING"))
	allocs := testing.AllocsPerRun(100, func() {
		if n, _ := s.consume(requests); n != len(requests) {
			t.Errorf("%d of %d bytes consumed", n, len(requests))
		}
		s.out.buf = s.out.buf[:0]
	})
	if allocs != 0 {
		t.Errorf("4 requests allocate %v times", allocs)
	}
}

// A client that announces much has used nothing until it sends it.
func TestProtocol_AnnouncedIsNotAllocated(t *testing.T) {
	s := newEngine(newClock().now, defaultLimits).open(&local{})
	announced := []byte("*1048576\r\n$536870912\r\nabc")
	allocs := testing.AllocsPerRun(1, func() {
		if n, incomplete := s.consume(announced); n != 0 || !incomplete {
			t.Errorf("consumed %d, incomplete %v", n, incomplete)
		}
	})
	if allocs != 0 || cap(s.parser.found) > 64 {
		t.Errorf("%v allocations, room for %d arguments", allocs, cap(s.parser.found))
	}
}

func TestProtocol_RepliesArePaused(t *testing.T) {
	e := newEngine(newClock().now, defaultLimits)
	c := connect(t, e)
	c.do("SET", "k", strings.Repeat("v", maxReplies/2))
	requests := []byte(strings.Repeat(request("GET", "k"), 100))
	n, incomplete := c.s.consume(requests)
	if one := len(request("GET", "k")); n > 3*one || incomplete {
		t.Errorf("%d requests were executed in one go, incomplete %v", n/one, incomplete)
	}
	c.s.out.buf = c.s.out.buf[:0]
}
