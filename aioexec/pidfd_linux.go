//go:build linux && !asyncio_netpoll

package aioexec

import "syscall"

// askForPidfd has the fork store a descriptor that becomes readable when the
// program exits, or -1 on kernels without.
func askForPidfd(attr *syscall.SysProcAttr, pidfd *int) { attr.PidFD = pidfd }

// closePidfd makes the descriptor blocking first, as that of the os.Process is, which
// shares this with it and may have to wait.
func closePidfd(fd int) {
	_ = syscall.SetNonblock(fd, false)
	_ = syscall.Close(fd)
}
