//go:build unix && !asyncio_netonly

package aionet

import (
	"errors"
	"syscall"

	"github.com/asyncio-go/asyncio/internal/socket"
)

// SendFile implements fileSender.
func (s *fdStream) SendFile(f syscall.Conn, n int) (sent int, err error) {
	if !socket.CanSendFile {
		return 0, errors.ErrUnsupported
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	if failed := raw.Control(func(fd uintptr) { sent, err = socket.SendFile(int(s.sysfd), int(fd), n) }); failed != nil {
		return 0, failed
	}
	return sent, s.unlessClosed(err)
}
