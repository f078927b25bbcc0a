//go:build linux && !asyncio_netpoll

package aioexec

import "syscall"

// askForPidfd has the fork store a descriptor that becomes readable when the
// program exits, or -1 on kernels without.
func askForPidfd(attr *syscall.SysProcAttr, pidfd *int) { attr.PidFD = pidfd }

func closePidfd(fd int) { _ = syscall.Close(fd) }
