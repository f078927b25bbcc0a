package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A traffic is what the connections of a swarm have in common.
type traffic struct {
	size    int
	pattern []byte // the messages: each is a window of it
	buf     []byte // one byte larger than a message, to see too much
	base    time.Time
}

// windows is how many different messages there are.
const windows = 251

func newTraffic(size int) *traffic {
	t := &traffic{size: size, pattern: make([]byte, size+windows), buf: make([]byte, size+1), base: time.Now()}
	random := rand.NewChaCha8([32]byte{})
	random.Read(t.pattern)
	return t
}

func (t *traffic) now() time.Duration { return time.Since(t.base) }

// A conn is one connection: it sends a message, and checks the answer.
type conn struct {
	fd        int
	window    int // where in the pattern the message begins
	sent, got int
	began     time.Duration
}

var errCorrupt = errors.New("the answer is not what was sent")

// begin sends the next message, or as much of it as the system takes.
func (c *conn) begin(t *traffic) error {
	c.window = (c.window + 1) % windows
	c.sent, c.got, c.began = 0, 0, t.now()
	return c.send(t)
}

func (c *conn) send(t *traffic) error {
	for c.sent < t.size {
		n, err := write(c.fd, t.pattern[c.window+c.sent:c.window+t.size])
		if err == unix.EAGAIN {
			return nil
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		c.sent += n
	}
	return nil
}

// receive reads what there is, and reports whether the answer is complete. It
// leaves the rest to the next event when the system has less than asked for.
func (c *conn) receive(t *traffic) (complete bool, err error) {
	for c.got < t.size {
		buf := t.buf[:t.size-c.got+1]
		n, err := read(c.fd, buf)
		if err == unix.EAGAIN {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read: %w", err)
		}
		if n == 0 {
			return false, errors.New("the server has closed the connection")
		}
		at := c.window + c.got
		if n == len(buf) || !bytes.Equal(buf[:n], t.pattern[at:at+n]) {
			return false, errCorrupt
		}
		c.got += n
		if c.got < t.size && n < len(buf)-1 {
			return false, nil
		}
	}
	return true, nil
}

// read and write tell the scheduler nothing, which saves a load that never
// blocks in them a good part of its time.

func read(fd int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func write(fd int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
