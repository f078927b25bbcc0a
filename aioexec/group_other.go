//go:build !unix

package aioexec

import (
	"errors"
	"os"
	"syscall"
)

// attributes are the caller's: there are no process groups here, and no pidfd.
func attributes(given *syscall.SysProcAttr, pidfd *int) (attr *syscall.SysProcAttr, ownPGID bool) {
	askForPidfd(given, pidfd)
	return given, false
}

func signalGroup(int, syscall.Signal) error { return errors.ErrUnsupported }

func groupLives(int) bool { return false }

func terminate(p *os.Process) error { return p.Kill() }
