package aionet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
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
	start int32
	busy  bool // a task reads
	much  bool // the last read took more than a small buffer has room for
}

func (in *input) buffered() []byte { return in.buf[in.start:] }

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
	n, err := k.readInto(ctx, p)
	k.in.busy = false
	return n, k.opError("read", err)
}

func (k *link) readInto(ctx context.Context, p []byte) (int, error) {
	if b := k.in.buffered(); len(b) > 0 || len(p) == 0 {
		if err := k.mayRead(ctx); err != nil {
			return 0, err
		}
		n := copy(p, b)
		k.in.start += int32(n)
		return n, nil
	}
	k.in.drop(k.hub)
	for {
		n, err := k.tryRead(ctx, p)
		if err == ErrWouldBlock {
			if err = k.awaitReadable(ctx); err == nil {
				continue
			}
		}
		return n, err
	}
}

// Peek waits until at least n bytes are there and returns all that are, without
// consuming them. The slice is valid until the next call that reads. With an error
// it returns what is there, too: [io.EOF] if that is nothing and nothing follows,
// [io.ErrUnexpectedEOF] if it is fewer bytes than n, a [LimitError] if n is above the
// limit. Memory grows with what arrives, whatever n is.
func (c *Conn) Peek(n int) ([]byte, error) {
	err := c.link.gather(c, n)
	return c.link.in.buffered(), err
}

// Discard consumes n bytes that Peek has shown.
func (c *Conn) Discard(n int) {
	if have := len(c.link.in.buffered()); n < 0 || n > have {
		panic(fmt.Sprintf("aionet: Conn.Discard(%d): %d bytes are buffered; discard what Peek has shown", n, have))
	}
	c.link.in.start += int32(n)
}

// ReadUntil reads until the first of the delimiters has come and returns everything up
// to it, with it. The slice is valid until the next call that reads. With an error,
// of those that Peek returns, it returns what is there and consumes nothing.
func (c *Conn) ReadUntil(delims ...[]byte) ([]byte, error) {
	k := c.link
	longest := longestOf(delims)
	if err := k.gather(c, 0); err != nil {
		return nil, err
	}
	for searched := 0; ; {
		b := k.in.buffered()
		b = b[:min(len(b), int(k.in.most))] // what came with it does not make a line longer than allowed
		if n := endOfFirst(b[searched:], delims); n > 0 {
			k.in.start += int32(searched + n)
			return b[:searched+n], nil
		}
		searched = max(len(b)-longest+1, 0)
		if err := k.gather(c, len(b)+1); err != nil {
			return k.in.buffered(), err
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
	if n <= 0 || n > math.MaxInt32 {
		panic(fmt.Sprintf("aionet: Conn.SetReadLimit(%d): the limit must be above zero, and below 2 GiB", n))
	}
	c.link.in.most = int32(n)
}

// beginRead claims the reading side for an operation of c, until busy is false again.
// There is no defer: the frames below a task that waits for input decide how large its
// stack is.
func (k *link) beginRead(c *Conn) (context.Context, error) {
	ctx, err := c.begin("read")
	switch {
	case err != nil:
		return nil, err
	case k.in.busy:
		return nil, k.opError("read", errBusy)
	}
	k.in.busy = true
	return ctx, nil
}

// gather reads until n bytes are buffered.
func (k *link) gather(c *Conn, n int) error {
	ctx, err := k.beginRead(c)
	if err != nil {
		return err
	}
	if most := int(k.in.most); n > most {
		err = &LimitError{most, len(k.in.buffered())}
	} else if len(k.in.buffered()) >= n {
		err = k.mayRead(ctx)
	}
	for len(k.in.buffered()) < n && err == nil {
		if err = k.fill(ctx, n); err == ErrWouldBlock {
			k.expectInput()
			err = k.in.ready.WaitAs(ctx, (*readWait)(k))
		}
	}
	k.in.busy = false
	if err != nil {
		err = k.opError("read", err)
	}
	return err
}

// fill reads once, into a buffer with room for n bytes in all. When nothing is
// buffered, there is no buffer.
func (k *link) fill(ctx context.Context, n int) error {
	in := &k.in
	free := in.room(k.hub, n)
	got, err := k.tryRead(ctx, free)
	if got > 0 {
		in.buf = in.buf[:len(in.buf)+got]
		in.much = got >= smallBuffer
		return nil
	}
	if len(in.buffered()) == 0 {
		in.drop(k.hub)
	} else if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// tryRead reads into p, of the stream or through TLS, which waits by itself.
func (k *link) tryRead(ctx context.Context, p []byte) (int, error) {
	if err := k.readable(ctx); err != nil {
		return 0, err
	}
	if k.secure != nil {
		return k.secure.read(ctx, p)
	}
	return k.stream.Read(p)
}

// room is the free part of the buffer, for a read after which there may be n bytes in
// all. It may be too small for that: memory grows with what has come, and not with what
// the other side announces.
func (in *input) room(h *hub, n int) []byte {
	switch {
	case in.buf == nil:
		in.buf = h.take(in.much)
	case int(in.start) == len(in.buf):
		in.drop(h)
		in.buf = h.take(in.much)
	}
	if len(in.buf) == cap(in.buf) || in.start > 0 && int(in.start)+n > cap(in.buf) {
		in.makeRoom(h, n)
	}
	return in.buf[len(in.buf):cap(in.buf)]
}

// makeRoom moves what is buffered to the beginning, of a larger buffer if need be.
func (in *input) makeRoom(h *hub, n int) {
	have := len(in.buffered())
	bigger := in.buf
	if want := min(max(n, have+1), max(2*cap(in.buf), largeBuffer)); want > cap(in.buf) {
		bigger = make([]byte, 0, max(want, 2*cap(in.buf)))
	}
	bigger = bigger[:copy(bigger[:cap(bigger)], in.buffered())]
	if cap(bigger) != cap(in.buf) {
		h.give(in.buf)
	}
	in.buf, in.start = bigger, 0
}
