//go:build !unix || asyncio_netonly

package aionet

import (
	"context"
	"net"
	"os"
)

// NewPipe makes a Conn of f: one end of a pipe, a FIFO, a terminal or a socket. It
// takes f over and closes it. It is asyncio's connect_read_pipe and connect_write_pipe.
func NewPipe(ctx context.Context, f *os.File) (*Conn, error) {
	h, err := hubOf(ctx)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &Conn{link: newLink(h, h.network.(system).stream(fileConn{f}))}, nil
}

// A fileConn is a file in the place of a connection.
type fileConn struct{ *os.File }

func (f fileConn) LocalAddr() net.Addr  { return pipeAddr(f.Name()) }
func (f fileConn) RemoteAddr() net.Addr { return pipeAddr(f.Name()) }
