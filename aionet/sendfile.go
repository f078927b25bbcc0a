package aionet

import (
	"context"
	"errors"
	"io"
	"os"
)

// A fileSender is a [Stream] that the system sends files over without copying them.
type fileSender interface {
	// SendFile sends up to n bytes of f from its offset on. It returns 0 at the
	// end of the file, and [errors.ErrUnsupported] if f cannot be sent so.
	SendFile(f *os.File, n int) (int, error)
}

// maxSend is how much of a file one system call sends at most: others get their turn
// in between.
const maxSend = 256 << 10

// ReadFrom writes what r yields until its end: io.Copy(conn, r). A file, or an
// [io.LimitedReader] of one, is sent without copying it through the process where the
// system can do that (Linux, and not through TLS). Reading a file blocks the loop for as
// long as the disk takes.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	k := c.link
	f, limit := fileOf(r)
	sender, ok := k.stream.(fileSender)
	if f == nil || !ok || k.secure != nil {
		return io.Copy(writerOnly{c}, r)
	}
	ctx, lock, err := c.beginWrite("sendfile")
	if err != nil {
		return 0, err
	}
	sent, err := k.sendFile(ctx, sender, f, limit)
	lock.Release()
	if l, ok := r.(*io.LimitedReader); ok {
		l.N -= sent
	}
	if err == errNotSent {
		return io.Copy(writerOnly{c}, r)
	}
	return sent, k.opError("sendfile", err)
}

var errNotSent = errors.New("the file was not sent")

// writerOnly hides ReadFrom.
type writerOnly struct{ io.Writer }

// fileOf is the file that r reads, and how much of it.
func fileOf(r io.Reader) (*os.File, int64) {
	limit := int64(1<<63 - 1)
	if l, ok := r.(*io.LimitedReader); ok {
		r, limit = l.R, l.N
	}
	f, _ := r.(*os.File)
	return f, limit
}

// sendFile is write for a file. The caller holds the lock.
func (k *link) sendFile(ctx context.Context, sender fileSender, f *os.File, limit int64) (sent int64, err error) {
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
		case err == nil && n == 0:
			return sent, nil
		case err != nil && sent == 0:
			return 0, errNotSent // not a file that can be sent; or the copy meets the error again
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}
