package aionet

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// A socketFile is the file of a Unix socket.
type socketFile struct {
	path string
	info os.FileInfo // nil if there is none
}

// fileOfSocket is the file of a socket that is bound to path.
func fileOfSocket(path string) socketFile {
	if strings.HasPrefix(path, "@") { // an abstract address; a file of that name is another's
		return socketFile{}
	}
	info, err := os.Lstat(path)
	if err != nil {
		return socketFile{}
	}
	return socketFile{path, info}
}

// remove removes the file, unless another has taken its place.
func (f *socketFile) remove() {
	if f.info == nil {
		return
	}
	if now, err := os.Lstat(f.path); err == nil && os.SameFile(f.info, now) {
		_ = os.Remove(f.path)
	}
}

// removeStale removes the file of a Unix socket, of the network unix or unixgram, that
// nobody serves any more.
func removeStale(network, path string) bool {
	f := fileOfSocket(path)
	if f.info == nil || f.info.Mode().Type() != fs.ModeSocket {
		return false
	}
	c, err := net.Dial(network, path) // which does not wait
	if err == nil {
		_ = c.Close()
		return false
	}
	return errors.Is(err, syscall.ECONNREFUSED) && os.Remove(path) == nil
}
