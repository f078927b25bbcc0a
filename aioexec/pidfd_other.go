//go:build !linux || asyncio_netpoll

package aioexec

import "syscall"

func askForPidfd(*syscall.SysProcAttr, *int) {}

func closePidfd(int) {}
