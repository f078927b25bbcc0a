//go:build unix && !asyncio_netonly

package aionet

import (
	"context"
	"fmt"
	"os"

	"github.com/asyncio-go/asyncio/internal/socket"
)

// NewPipe makes a Conn of f: one end of a pipe, a FIFO, a terminal or a socket. It
// takes f over and closes it, also if it fails, as it does for regular files. It is
// asyncio's connect_read_pipe and connect_write_pipe.
func NewPipe(ctx context.Context, f *os.File) (*Conn, error) {
	defer f.Close()
	h, err := hubOf(ctx)
	if err != nil {
		return nil, err
	}
	fd, err := duplicate(f)
	if err != nil {
		return nil, fmt.Errorf("aionet: NewPipe: %w", err)
	}
	s := &fdStream{sysfd: int32(fd), remote: pipeAddr(f.Name()), local: pipeAddr(f.Name())}
	if err := s.register(h.loop, fd); err != nil {
		_ = socket.Close(fd)
		return nil, fmt.Errorf("aionet: NewPipe(%s): %w", f.Name(), err)
	}
	s.fd.OnClose(s.release)
	return &Conn{link: newLink(h, s)}, nil
}
