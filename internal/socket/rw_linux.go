package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of this file go past Go's scheduler: on a non-blocking descriptor they
// return at once, and telling the scheduler costs as much as a tenth of the call.

// Read reads into p, and returns 0 at the end of the stream. p must not be empty.
func Read(fd int, p []byte) (int, error) { return transfer(unix.SYS_READ, fd, p) }

// Write writes as much of p as there is room for. p must not be empty.
func Write(fd int, p []byte) (int, error) { return transfer(unix.SYS_WRITE, fd, p) }

// A check of the stack here would be the deepest of a task that reads: without one, a
// task that is idle does with the smallest stack that Go has.
//
//go:nosplit
func transfer(call uintptr, fd int, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EAGAIN:
			return 0, ErrWouldBlock
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}
