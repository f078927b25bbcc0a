//go:build unix && !linux

package socket

// writev writes the first slice: not every system offers more to a portable program.
func writev(fd int, bufs [][]byte) (int, error) {
	for _, p := range bufs {
		if len(p) > 0 {
			return Write(fd, p)
		}
	}
	return 0, nil
}
