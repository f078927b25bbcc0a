//go:build unix && (!linux || asyncio_netpoll)

package aioexec

import "syscall"

func askForPidfd(*syscall.SysProcAttr, *int) {}
