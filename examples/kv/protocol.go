package main

import (
	"bytes"
	"fmt"
	"strings"
)

// maxLine is how long a line of a request may be: an inline command, or one with
// a length.
const maxLine = 64 << 10

const spaces = " \t\r\n\v\f"

// A protocolError ends the connection after it was told to the client.
type protocolError string

func (e protocolError) Error() string { return "ERR Protocol error: " + string(e) }

// A parser finds requests in what a connection has received. Of one that is not
// complete it remembers what it has understood, so that a request which comes in
// many pieces is not read again with each. It keeps offsets, no slices: between
// two pieces the buffer may move.
type parser struct {
	maxBulk int
	pos     int    // up to here it is understood
	missing int    // arguments
	size    int    // of the argument at pos; -1 if its length is still to be read
	found   []span // the arguments before pos
}

type span struct{ from, to int }

// next appends the arguments of the request at the beginning of buf to args, in
// place, and returns the length of the request: zero if it is not complete. A
// request without arguments is no command and gets no reply.
func (p *parser) next(buf []byte, args [][]byte) ([][]byte, int, error) {
	if len(buf) == 0 {
		return args, 0, nil
	}
	if buf[0] != '*' {
		return inline(buf, args)
	}
	if p.pos == 0 {
		n, length, err := header(buf, "multibulk length", "mbulk count string")
		if length == 0 || err != nil {
			return args, 0, err
		}
		if n > 1<<31-1 {
			return args, 0, protocolError("invalid multibulk length")
		}
		p.pos, p.missing, p.size = length, max(n, 0), -1
	}
	for ; p.missing > 0; p.missing-- {
		if ok, err := p.argument(buf); !ok {
			return args, 0, err
		}
	}
	for _, s := range p.found {
		args = append(args, buf[s.from:s.to:s.to])
	}
	n := p.pos
	p.pos, p.found = 0, p.found[:0]
	if cap(p.found) > 64 {
		p.found = nil // that was an exception
	}
	return args, n, nil
}

// argument reads the argument at pos and reports whether it is complete. What
// stands behind it in place of the line's end does not matter, to Redis neither.
func (p *parser) argument(buf []byte) (ok bool, err error) {
	rest := buf[p.pos:]
	if p.size < 0 {
		if len(rest) == 0 {
			return false, nil
		}
		n, length, err := header(rest, "bulk length", "bulk count string")
		switch {
		case length == 0 && err == nil:
			return false, nil
		case rest[0] != '$' && length > 0:
			return false, protocolError(fmt.Sprintf("expected '$', got '%c'", rest[0]))
		case err != nil:
			return false, err
		case n < 0 || n > p.maxBulk:
			return false, protocolError("invalid bulk length")
		}
		p.pos, p.size = p.pos+length, n
		rest = buf[p.pos:]
	}
	if len(rest) < p.size+2 {
		return false, nil
	}
	p.found = append(p.found, span{p.pos, p.pos + p.size})
	p.pos, p.size = p.pos+p.size+2, -1
	return true, nil
}

// header reads a line of one character and a number, and returns the number and
// the length of the line: zero if it is not complete.
func header(buf []byte, what, line string) (n, length int, err error) {
	end := bytes.IndexByte(buf[:min(len(buf), maxLine+1)], '\r')
	if end < 0 && len(buf) > maxLine {
		return 0, 0, protocolError("too big " + line)
	}
	if end < 0 || end+2 > len(buf) {
		return 0, 0, nil
	}
	v, ok := parseInt(buf[min(1, end):end])
	if !ok {
		err = protocolError("invalid " + what)
	}
	return int(v), end + 2, err
}

// inline reads a request that is a line of words, as people type it.
func inline(buf []byte, args [][]byte) ([][]byte, int, error) {
	end := bytes.IndexByte(buf[:min(len(buf), maxLine+1)], '\n')
	if end < 0 {
		if len(buf) > maxLine {
			return args, 0, protocolError("too big inline request")
		}
		return args, 0, nil
	}
	args, ok := words(bytes.TrimSuffix(buf[:end], []byte("\r")), args)
	if !ok {
		return args, 0, protocolError("unbalanced quotes in request")
	}
	return args, end + 1, nil
}

// words appends the words of a line, which may be quoted, to args. It reports
// false if a quote is not closed, or not followed by a space.
func words(line []byte, args [][]byte) ([][]byte, bool) {
	for {
		line = bytes.TrimLeft(line, spaces)
		if len(line) == 0 {
			return args, true
		}
		word := []byte{}
		for len(line) > 0 && strings.IndexByte(spaces, line[0]) < 0 {
			if line[0] != '"' && line[0] != '\'' {
				word, line = append(word, line[0]), line[1:]
				continue
			}
			var ok bool
			if word, line, ok = quoted(line, word); !ok {
				return args, false
			}
		}
		args = append(args, word)
	}
}

// quoted appends what is in the quotes at the beginning of line to word, and
// returns the line behind them.
func quoted(line, word []byte) (_, rest []byte, ok bool) {
	quote, line := line[0], line[1:]
	for len(line) > 0 && line[0] != quote {
		n := 1
		c := line[0]
		if c == '\\' && len(line) > 1 {
			if c, n = escaped(line, quote); n == 1 {
				c = '\\'
			}
		}
		word, line = append(word, c), line[n:]
	}
	if len(line) == 0 || len(line) > 1 && strings.IndexByte(spaces, line[1]) < 0 {
		return word, nil, false
	}
	return word, line[1:], true
}

// escaped is the character that the escape at the beginning of line stands for,
// and the length of the escape. In single quotes only \' is one: then the length
// is 1, for a backslash that is itself.
func escaped(line []byte, quote byte) (c byte, n int) {
	c = line[1]
	if quote == '\'' {
		if c == '\'' {
			return c, 2
		}
		return '\\', 1
	}
	if c == 'x' && len(line) >= 4 {
		hi, ok1 := hexDigit(line[2])
		lo, ok2 := hexDigit(line[3])
		if ok1 && ok2 {
			return hi<<4 | lo, 4
		}
	}
	if i := strings.IndexByte("nrtba", c); i >= 0 {
		c = "\n\r\t\b\a"[i]
	}
	return c, 2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
