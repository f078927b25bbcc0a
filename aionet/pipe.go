package aionet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
)

// NewPipe makes a Conn of f: one end of a pipe, a FIFO, a terminal or a socket. It
// takes f over and closes it, also if it fails, as it does for regular files. It is
// asyncio's connect_read_pipe and connect_write_pipe.
//
// What shares the descriptor with others, as a terminal is shared with the shell, becomes
// non-blocking for them, too. CloseWrite closes a pipe, which has one direction.
func NewPipe(ctx context.Context, f *os.File) (*Conn, error) {
	c, err := newPipe(ctx, f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("aionet: NewPipe(%s): %w", f.Name(), err)
	}
	return c, nil
}

func newPipe(ctx context.Context, f *os.File) (*Conn, error) {
	h, err := hubOf(ctx)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if t := info.Mode(); t.IsRegular() || t.IsDir() {
		return nil, errors.New("a regular file or a folder is always ready; use Blocking, and io.Copy to send a file")
	}
	s, err := pipeStream(h, f, info.Mode()&fs.ModeNamedPipe != 0)
	if err != nil {
		return nil, err
	}
	return &Conn{link: newLink(h, s)}, nil
}

// A pipeAddr is the name of a file.
type pipeAddr string

var _ net.Addr = pipeAddr("")

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }
