//go:build unix

package aioexec

import (
	"os"
	"syscall"
)

// attributes are the caller's, with a process group of the program's own if the
// caller does not want another one. The kernel stores a pidfd where it can.
func attributes(given *syscall.SysProcAttr, pidfd *int) (attr *syscall.SysProcAttr, ownPGID bool) {
	attr = &syscall.SysProcAttr{}
	if given != nil {
		*attr = *given
	}
	askForPidfd(attr, pidfd)
	if attr.Setsid {
		return attr, true // a session's first group
	}
	attr.Setpgid = true
	return attr, attr.Pgid == 0
}

func signalGroup(pgid int, sig syscall.Signal) error {
	err := syscall.Kill(-pgid, sig)
	if err == syscall.ESRCH {
		return os.ErrProcessDone
	}
	return os.NewSyscallError("kill", err)
}

// groupLives reports whether the group has members. Those that have become children
// of this process, because it is the system's init or a subreaper, it reaps.
func groupLives(pgid int) bool {
	for {
		if pid, err := syscall.Wait4(-pgid, nil, syscall.WNOHANG, nil); pid <= 0 && err != syscall.EINTR {
			return syscall.Kill(-pgid, 0) == nil
		}
	}
}

func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
