package aioexec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/asyncio-go/asyncio"
)

// launch starts the program. Afterwards whoever called it must supervise it.
func (c *Cmd) launch(ctx context.Context) error {
	launched := false
	defer func() {
		if !launched {
			c.phase = ended
			c.closeAll()
		}
	}()
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	if err := l.Fenced(fmt.Sprintf("aioexec: %v: a program of the system", c), "a function in its place"); err != nil {
		return err
	}
	x, err := c.prepare(ctx)
	if err != nil {
		return err
	}
	pidfd := -1
	x.SysProcAttr, c.ownPGID = attributes(c.SysProcAttr, &pidfd)
	// The fork waits for the exec, which takes as long as the disk does.
	if _, err = asyncio.Blocking(ctx, asyncio.Void(func(context.Context) error { return c.fork(x) })); err != nil {
		return err
	}
	c.mu.Lock()
	c.exec = x
	c.mu.Unlock()
	c.phase, launched = running, true
	closeFiles(&c.files)
	c.watch(ctx, pidfd)
	for _, p := range c.pumps {
		p.gate.Set()
	}
	return nil
}

// prepare opens the pipes and has everything ready for the fork.
func (c *Cmd) prepare(ctx context.Context) (*exec.Cmd, error) {
	if c.Err != nil {
		return nil, c.Err
	}
	x := &exec.Cmd{Path: c.Path, Args: c.Args, Env: c.Env, Dir: c.Dir, ExtraFiles: c.ExtraFiles}
	if err := c.connectStdin(ctx, x); err != nil {
		return nil, err
	}
	return x, c.connectOutput(ctx, x)
}

// fork starts the program, off the loop.
func (c *Cmd) fork(x *exec.Cmd) error {
	err := x.Start()
	if err != nil && c.Dir != "" && c.SysProcAttr == nil {
		// Without attributes, package os tells a missing folder from a missing program.
		if _, missing := os.Stat(c.Dir); missing != nil {
			return fmt.Errorf("chdir %s: %w", c.Dir, errors.Unwrap(missing))
		}
	}
	return err
}

// closeAll closes what the command has open: the files meant for the program, and
// this side of the pipes, which ends whoever copies.
func (c *Cmd) closeAll() {
	closeFiles(&c.files)
	c.closeStreams()
	for _, p := range c.pumps {
		p.halt()
		p.conn.Abort()
	}
}

func (c *Cmd) closeStreams() {
	for _, s := range c.streams {
		s.Abort()
	}
	c.streams = nil
}
