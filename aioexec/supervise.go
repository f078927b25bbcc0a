package aioexec

import (
	"context"
	"errors"
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
		defer close(gone)
		err := c.exec.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waitErr, c.reaped = err, true
	}()
}

// exited waits until the program has exited, and reaps it.
func (c *Cmd) exited(ctx context.Context) error {
	if c.fd == nil {
		if _, _, err := asyncio.Recv(ctx, c.gone); err != nil {
			return err
		}
	} else {
		for done := false; !done; done = c.reap() {
			if err := c.fd.WaitReadable(ctx); err != nil {
				return err
			}
		}
		c.fd.Close()
	}
	c.ProcessState, c.settled = c.exec.ProcessState, true
	return nil
}

// reap takes the exit status of a program that has exited, and the process out of the
// system's table. It reports false if it has not: readiness is only a hint, and the
// pidfd, which is non-blocking, says so.
func (c *Cmd) reap() (done bool) {
	c.mu.Lock() // no signal may come between
	defer c.mu.Unlock()
	if err := c.exec.Wait(); !errors.Is(err, syscall.EAGAIN) {
		c.waitErr, c.reaped = err, true
	}
	return c.reaped
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
	if cut != nil {
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

// end asks the command to end, and makes it after the grace.
func (c *Cmd) end(ctx context.Context) {
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
	if !c.settled {
		_ = c.exited(ctx)
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
		dead, err := asyncio.Blocking(ctx, func(context.Context) (bool, error) { return onlyZombies(pgid), nil })
		if dead {
			groupLives(pgid) // reaps those that are ours
		}
		if dead || err != nil {
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
