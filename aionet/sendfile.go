package aionet

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"syscall"
)

// A fileSender is a [Stream] that the system sends files over without copying them.
type fileSender interface {
	// SendFile sends up to n bytes of f from its offset on. It returns 0 at the
	// end of the file, and [errors.ErrUnsupported] if f cannot be sent so.
	SendFile(f syscall.Conn, n int) (int, error)
}

// maxSend is how much of a file one system call sends at most: others get their turn
// in between.
const maxSend = 256 << 10

// ReadFrom writes what r yields until its end: io.Copy(conn, r). A file, or an
// [io.LimitedReader] of one, is sent without copying it through the process where the
// system can do that (Linux, and not through TLS). Reading a file blocks the loop for as
// long as the disk takes. Other writers wait until the file is written.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	k := c.link
	f, limit := fileOf(r)
	if f == nil {
		return io.Copy(writerOnly{c}, r)
	}
	ctx, lock, err := c.beginWrite("sendfile")
	if err != nil {
		return 0, err
	}
	defer lock.Release()
	if sender, ok := k.stream.(fileSender); ok && k.secure == nil {
		sent, err := k.sendFile(ctx, sender, f, limit)
		if l, ok := r.(*io.LimitedReader); ok {
			l.N -= sent
		}
		if err != errNotSent {
			return sent, k.opError("sendfile", err)
		}
	}
	return io.Copy(turn{k, ctx}, r)
}

var errNotSent = errors.New("the file was not sent")

// writerOnly hides ReadFrom.
type writerOnly struct{ io.Writer }

// A turn is a connection for who holds its lock.
type turn struct {
	link *link
	ctx  context.Context
}

func (t turn) Write(p []byte) (int, error) { return t.link.writeInTurn(t.ctx, p) }

// fileOf is the file that r reads, and how much of it. It is no *os.File where that
// calls io.Copy, which hides its WriteTo.
func fileOf(r io.Reader) (syscall.Conn, int64) {
	limit := int64(1<<63 - 1)
	if l, ok := r.(*io.LimitedReader); ok {
		r, limit = l.R, l.N
	}
	if f, ok := r.(interface {
		fs.File
		syscall.Conn
	}); ok {
		return f, limit
	}
	return nil, limit
}

// sendFile is write for a file. The caller holds the lock.
func (k *link) sendFile(ctx context.Context, sender fileSender, f syscall.Conn, limit int64) (sent int64, err error) {
	if err := k.sendAll(ctx); err != nil {
		return 0, err
	}
	k.direct = true
	defer k.written()
	for sent < limit {
		if err := k.writable(ctx); err != nil {
			return sent, err
		}
		n, err := sender.SendFile(f, int(min(limit-sent, maxSend)))
		sent += int64(n)
		switch {
		case err == ErrWouldBlock:
			err = k.awaitWritable(ctx)
		case n == 0 && sent == 0:
			return 0, errNotSent // not a file that can be sent; or the copy meets the end, or the error, again
		case n == 0 && err == nil:
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}
