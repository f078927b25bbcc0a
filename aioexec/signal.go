package aioexec

import (
	"fmt"
	"os"
	"syscall"
)

// Signal sends a signal to the program, to it alone. It fails with an error that
// matches [os.ErrProcessDone] once the program has ended, and on Windows for
// all but [os.Kill].
func (c *Cmd) Signal(sig os.Signal) error {
	return c.send("Signal", func(p *os.Process) error { return p.Signal(sig) })
}

// Terminate sends SIGTERM to the process group of the command. On Windows, which has
// no such thing, it is Kill. It fails as Signal does.
func (c *Cmd) Terminate() error {
	return c.send("Terminate", func(p *os.Process) error {
		if c.ownPGID {
			return signalGroup(p.Pid, syscall.SIGTERM)
		}
		return terminate(p)
	})
}

// Kill sends SIGKILL to the process group of the command: it ends at once, and
// cannot clean up. It fails as Signal does.
func (c *Cmd) Kill() error {
	return c.send("Kill", func(p *os.Process) error {
		if c.ownPGID {
			return signalGroup(p.Pid, syscall.SIGKILL)
		}
		return p.Kill()
	})
}

// send calls signal while the process id is the program's for certain.
func (c *Cmd) send(fn string, signal func(*os.Process) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.exec == nil:
		return fmt.Errorf("aioexec: Cmd.%s: %s was not started", fn, c.name())
	case c.reaped:
		return fmt.Errorf("aioexec: Cmd.%s: %s: %w", fn, c.name(), os.ErrProcessDone)
	}
	return signal(c.exec.Process)
}
