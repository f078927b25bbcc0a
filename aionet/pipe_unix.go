//go:build unix && !asyncio_netonly

package aionet

import (
	"os"

	"github.com/asyncio-go/asyncio/internal/socket"
)

// An fdPipe is a descriptor that need not be a socket's.
type fdPipe struct {
	fdStream
	oneWay bool
}

// pipeStream is f as a stream of the loop. It closes f if it succeeds.
func pipeStream(h *hub, f *os.File, oneWay bool) (Stream, error) {
	fd, err := duplicate(f)
	if err != nil {
		return nil, err
	}
	s := &fdPipe{fdStream{sysfd: int32(fd), remote: pipeAddr(f.Name()), local: pipeAddr(f.Name())}, oneWay}
	if err := s.register(h.loop, fd); err != nil {
		_ = socket.Close(fd)
		return nil, err
	}
	s.fd.OnClose(s.release)
	_ = f.Close()
	return s, nil
}

// Read implements [Stream]. A terminal gives a line, and a pipe may give a packet, a
// read: that one was not filled does not mean that there is nothing more.
func (s *fdPipe) Read(p []byte) (int, error) {
	n, err := s.fdStream.Read(p)
	s.drained = false
	return n, err
}

// CloseWrite implements [Stream].
func (s *fdPipe) CloseWrite() error {
	if s.oneWay {
		return s.Close()
	}
	return s.fdStream.CloseWrite()
}
