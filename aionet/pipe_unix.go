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
	name := pipeAddr(f.Name())
	s := &fdPipe{fdStream{sysfd: int32(fd), remote: name, local: name}, oneWay}
	if err := s.register(h.loop, fd); err != nil {
		_ = socket.Close(fd)
		return nil, err
	}
	s.fd.OnClose(s.release)
	_ = f.Close()
	return s, nil
}

// CloseWrite implements [Stream].
func (s *fdPipe) CloseWrite() error {
	if s.oneWay {
		return s.Close()
	}
	return s.fdStream.CloseWrite()
}
