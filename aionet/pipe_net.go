//go:build !unix || asyncio_netonly

package aionet

import (
	"errors"
	"net"
	"os"
)

// pipeStream is f as a stream of the loop.
func pipeStream(h *hub, f *os.File, oneWay bool) (Stream, error) {
	n, ok := h.network.(system)
	if !ok { // the loop's network is another, and has no pipes
		n = systemNetwork(h.loop).(system)
	}
	return n.stream(fileConn{f, oneWay}), nil
}

// A fileConn is a file in the place of a connection.
type fileConn struct {
	*os.File
	oneWay bool
}

func (f fileConn) LocalAddr() net.Addr  { return pipeAddr(f.Name()) }
func (f fileConn) RemoteAddr() net.Addr { return pipeAddr(f.Name()) }

func (f fileConn) CloseWrite() error {
	if f.oneWay {
		return f.Close()
	}
	return errors.ErrUnsupported
}
