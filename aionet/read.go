package aionet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// ErrBusy is matched by the error of a read while another task reads.
var ErrBusy = errors.New("another task is reading from this connection")

var errBusy = fmt.Errorf("aionet: %w; read in one task, and hand over what it reads", ErrBusy)

// defaultReadLimit is asyncio's, too.
const defaultReadLimit = 64 << 10

// input is the reading side of a link: buf[start:] is what was read and not consumed.
type input struct {
	side
	buf   []byte // none while nothing is buffered and a task waits
	start int
	limit int
	busy  bool
	ctx   context.Context // of the read under way, for TLS
}

func (in *input) buffered() []byte { return in.buf[in.start:] }

func (in *input) consume(n int) { in.start += n }

// drop gives the buffer back.
func (in *input) drop(h *hub) {
	if in.buf != nil {
		h.give(in.buf)
		in.buf, in.start = nil, 0
	}
}

// A LimitError is that of a buffered read that would have to buffer more than the
// connection's limit, see [Conn.SetReadLimit]. What has been read stays in the buffer.
type LimitError struct {
	Limit    int
	Buffered int // bytes that are there
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("aionet: %d bytes are buffered and what was asked for is not among them, with a limit of %d; "+
		"consume some, or raise the limit with SetReadLimit", e.Buffered, e.Limit)
}

// Read reads what is there, up to len(p) bytes, and waits if that is nothing. At the
// end of the stream it returns io.EOF.
func (c *Conn) Read(p []byte) (int, error) {
	k := c.link
	ctx, err := k.beginRead(c)
	if err != nil {
		return 0, err
	}
	defer k.endRead()
	if b := k.in.buffered(); len(b) > 0 {
		n := copy(p, b)
		k.in.consume(n)
		return n, nil
	}
	if len(p) == 0 {
		return 0, nil
	}
	k.in.drop(k.hub)
	for {
		n, err := k.tryRead(ctx, p)
		if err != ErrWouldBlock {
			return n, k.opError("read", err)
		}
		if err := k.awaitReadable(ctx); err != nil {
			return 0, err
		}
	}
}

// Peek waits until at least n bytes are there and returns all that are, without
// consuming them. The slice is valid until the next call that reads. With an error
// it returns what is there, too: [io.EOF] if that is nothing and nothing follows,
// [io.ErrUnexpectedEOF] if it is fewer bytes than n, a [LimitError] if n is above the
// limit.
func (c *Conn) Peek(n int) ([]byte, error) {
	k := c.link
	ctx, err := k.beginRead(c)
	if err != nil {
		return nil, err
	}
	defer k.endRead()
	for len(k.in.buffered()) < n {
		if n > k.in.limit {
			return k.in.buffered(), &LimitError{k.in.limit, len(k.in.buffered())}
		}
		if err := k.fill(ctx, n); err != nil {
			return k.in.buffered(), k.opError("read", err)
		}
	}
	return k.in.buffered(), nil
}

// Discard consumes n bytes that Peek has shown.
func (c *Conn) Discard(n int) {
	if have := len(c.link.in.buffered()); n < 0 || n > have {
		panic(fmt.Sprintf("aionet: Conn.Discard(%d): %d bytes are buffered; discard what Peek has shown", n, have))
	}
	c.link.in.consume(n)
}

// ReadUntil reads until the first of the delimiters has come and returns everything up
// to it, with it. The slice is valid until the next call that reads. With an error,
// of those that Peek returns, it returns what is there and consumes nothing.
func (c *Conn) ReadUntil(delims ...[]byte) ([]byte, error) {
	k := c.link
	ctx, err := k.beginRead(c)
	if err != nil {
		return nil, err
	}
	defer k.endRead()
	longest := longestOf(delims)
	for searched := 0; ; {
		b := k.in.buffered()
		if n := endOfFirst(b[searched:], delims); n > 0 {
			k.in.consume(searched + n)
			return b[:searched+n], nil
		}
		searched = max(len(b)-longest+1, 0)
		if len(b) >= k.in.limit {
			return b, &LimitError{k.in.limit, len(b)}
		}
		if err := k.fill(ctx, len(b)+1); err != nil {
			return k.in.buffered(), k.opError("read", err)
		}
	}
}

func longestOf(delims [][]byte) (n int) {
	if len(delims) == 0 {
		panic("aionet: Conn.ReadUntil: no delimiter was given; pass at least one")
	}
	for _, d := range delims {
		if len(d) == 0 {
			panic("aionet: Conn.ReadUntil: a delimiter is empty; nothing can end there")
		}
		n = max(n, len(d))
	}
	return n
}

// endOfFirst is where the delimiter ends that ends first, or 0.
func endOfFirst(b []byte, delims [][]byte) (end int) {
	for _, d := range delims {
		if i := bytes.Index(b, d); i >= 0 && (end == 0 || i+len(d) < end) {
			end = i + len(d)
		}
	}
	return end
}

var newline = []byte{'\n'}

// ReadLine reads a line and returns it without its end, "\n" or "\r\n". It is
// ReadUntil otherwise: a line that the end of the stream cuts off comes with
// [io.ErrUnexpectedEOF].
func (c *Conn) ReadLine() ([]byte, error) {
	line, err := c.ReadUntil(newline)
	if err != nil {
		return line, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte{'\r'}), nil
}

// Lines yields lines until the stream ends, the last one also if nothing ends it. An
// error is yielded once. A line is valid until the next.
func (c *Conn) Lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			line, err := c.ReadLine()
			switch {
			case err == io.EOF:
				return
			case err == io.ErrUnexpectedEOF:
				c.Discard(len(line))
				yield(line, nil)
				return
			case !yield(line, err) || err != nil:
				return
			}
		}
	}
}

// SetReadLimit bounds how many bytes are buffered for Peek, ReadUntil and those built
// on them; 64 KiB unless it is called.
func (c *Conn) SetReadLimit(n int) {
	if n <= 0 {
		panic(fmt.Sprintf("aionet: Conn.SetReadLimit(%d): the limit must be above zero", n))
	}
	c.link.in.limit = n
}

// beginRead claims the reading side for an operation of c.
func (k *link) beginRead(c *Conn) (context.Context, error) {
	ctx := c.context()
	if k.in.busy {
		return nil, k.opError("read", errBusy)
	}
	k.in.busy, k.in.ctx = true, ctx
	return ctx, nil
}

func (k *link) endRead() { k.in.busy, k.in.ctx = false, nil }

// tryRead reads into p, of the stream or through TLS, which waits by itself.
func (k *link) tryRead(ctx context.Context, p []byte) (int, error) {
	if err := k.usable(ctx, &k.in.side); err != nil {
		return 0, err
	}
	if k.secure == nil {
		return k.stream.Read(p)
	}
	n, err := k.secure.conn.Read(p)
	if n > 0 { // what comes with an error is taken; the error comes again
		return n, nil
	}
	return 0, resumed(err)
}

// fill reads once, into a buffer with room for n bytes in all. While it waits and
// nothing is buffered, there is no buffer.
func (k *link) fill(ctx context.Context, n int) error {
	in := &k.in
	for {
		in.makeRoom(k.hub, n)
		got, err := k.tryRead(ctx, in.buf[len(in.buf):cap(in.buf)])
		in.buf = in.buf[:len(in.buf)+got]
		if len(in.buffered()) == 0 {
			in.drop(k.hub)
		}
		switch {
		case got > 0:
			return nil
		case err == io.EOF && len(in.buffered()) > 0:
			return io.ErrUnexpectedEOF
		case err != ErrWouldBlock:
			return err
		}
		if err := k.awaitReadable(ctx); err != nil {
			return err
		}
	}
}

// makeRoom sees to it that the buffer can hold n bytes, and one more than it holds.
func (in *input) makeRoom(h *hub, n int) {
	if in.buf == nil {
		in.buf = h.take()
	}
	have := len(in.buffered())
	if in.start > 0 && (have == 0 || len(in.buf) == cap(in.buf) || in.start+n > cap(in.buf)) {
		copy(in.buf, in.buffered())
		in.buf, in.start = in.buf[:have], 0
	}
	if want := max(n, have+1); want > cap(in.buf) {
		bigger := make([]byte, have, max(want, 2*cap(in.buf)))
		copy(bigger, in.buf)
		h.give(in.buf)
		in.buf = bigger
	}
}
