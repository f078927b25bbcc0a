package aioexec

import (
	"context"
	"os/exec"
	"syscall"
	"time"

	"github.com/asyncio-go/asyncio"
)

// watch makes the end of the program something to wait for: a pidfd on the loop
// or, where there is none, a goroutine that waits for the process.
func (c *Cmd) watch(ctx context.Context, pidfd int) {
	if pidfd >= 0 {
		if l, err := asyncio.RunningLoop(ctx); err == nil {
			if c.fd, err = l.Register(uintptr(pidfd)); err == nil {
				c.fd.OnClose(func() { closePidfd(pidfd) })
				return
			}
		}
		closePidfd(pidfd)
	}
	gone := make(chan struct{})
	c.gone = gone
	go func() {
		c.reap()
		close(gone)
	}()
}

// exited waits until the program has exited.
func (c *Cmd) exited(ctx context.Context) error {
	if c.fd != nil {
		return c.fd.WaitReadable(ctx)
	}
	_, _, err := asyncio.Recv(ctx, c.gone)
	return err
}

// reap takes the exit status, and the process out of the system's table.
func (c *Cmd) reap() {
	if c.fd != nil { // it has exited: Wait does not wait, and no signal may come between
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waitErr = c.exec.Wait()
		c.reaped = true
		return
	}
	err := c.exec.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waitErr, c.reaped = err, true
}

// supervise waits until the command has ended, or ends it when ctx is cancelled and
// returns the cancellation. Either way nothing of it is left.
func (c *Cmd) supervise(ctx context.Context) error {
	left := false
	defer func() {
		if !left { // unwound by force
			c.abandon()
		}
	}()
	cut := c.exited(ctx)
	ctx = context.WithoutCancel(ctx)
	if cut == nil {
		c.settle()
	} else {
		c.end(ctx)
		c.closeStreams()
	}
	c.result = c.drain(ctx)
	if c.waitErr != nil {
		c.result = c.waitErr
	}
	c.phase, left = ended, true
	if cut != nil {
		return cut
	}
	return c.result
}

// settle is after the program has exited: what was watched is given back.
func (c *Cmd) settle() {
	if c.fd != nil {
		c.reap()
		c.fd.Close()
	}
	c.ProcessState = c.exec.ProcessState
}

// end asks the command to end, and makes it after the grace.
func (c *Cmd) end(ctx context.Context) {
	settled := false
	grace := c.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	err := asyncio.Timeout(ctx, grace, func(ctx context.Context) error {
		if err := c.Terminate(); err != nil {
			return err // no such signal here
		}
		if err := c.exited(ctx); err != nil {
			return err
		}
		c.settle()
		settled = true
		return c.groupGone(ctx)
	})
	if err == nil {
		return
	}
	if c.ownPGID { // perhaps only others of the group are left
		_ = signalGroup(c.exec.Process.Pid, syscall.SIGKILL)
	} else {
		_ = c.Kill()
	}
	if !settled && c.exited(ctx) == nil {
		c.settle()
	}
	_ = asyncio.Timeout(ctx, killDelay, c.groupGone)
}

// killDelay is how long a killed group may take to go. It takes no time, unless the
// system has one of its members wait for a device.
const killDelay = time.Second

// groupGone waits until nobody is left in the group of a program that was reaped.
// No event tells. The group's id cannot be another's while somebody is in it,
// and is not given out again before all others were.
func (c *Cmd) groupGone(ctx context.Context) error {
	if !c.ownPGID {
		return nil
	}
	pgid := c.exec.Process.Pid
	for pause := time.Millisecond; groupLives(pgid); pause = min(2*pause, 50*time.Millisecond) {
		if err := asyncio.Sleep(ctx, pause); err != nil {
			return err
		}
		if pause < 16*time.Millisecond {
			continue
		}
		if dead, err := asyncio.Blocking(ctx, func(context.Context) (bool, error) { return onlyZombies(pgid), nil }); dead || err != nil {
			return err
		}
	}
	return nil
}

// drain waits until what the program wrote was copied, and returns the error of
// that.
func (c *Cmd) drain(ctx context.Context) error {
	if c.feeder != nil {
		c.feeder.halt() // nobody reads any more
	}
	delay, wait := c.WaitDelay, func(ctx context.Context) error {
		for _, p := range c.pumps {
			if _, _, err := asyncio.Wait(ctx, asyncio.AllDone, p.task); err != nil {
				return err
			}
		}
		return nil
	}
	if delay == 0 {
		delay = defaultWaitDelay
	}
	var err error
	if delay < 0 {
		err = wait(ctx)
	} else if asyncio.Timeout(ctx, delay, wait) != nil {
		for _, p := range c.pumps {
			p.halt()
		}
		if err = wait(ctx); err == nil {
			err = exec.ErrWaitDelay
		}
	}
	for _, p := range c.pumps {
		if bad := p.verdict(); bad != nil {
			return bad
		}
	}
	return err
}

// abandon is the last resort, where nothing may be awaited: no process and no
// descriptor is left, and a goroutine reaps.
func (c *Cmd) abandon() {
	_ = c.Kill()
	c.closeAll()
	if c.fd != nil {
		c.fd.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.reaped {
			c.reaped = true // no more signals: its id may soon be another's
			go c.exec.Wait()
		}
	}
	c.phase = ended
}
