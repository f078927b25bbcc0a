package aioexec

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio"
)

// errClosed is the cause with which Close ends a command.
var errClosed = errors.New("the command was closed")

// Start starts the command and returns when the program runs, or could not be
// started.
//
// The command belongs to the scope of ctx, as a task that is spawned does: when ctx
// is cancelled, or the bracket that it is from has ended, the command is ended as
// by [Cmd.Close]. So it does not outlive the scope, whoever forgets it; the loop
// waits for it when it is closed. Cancelling ctx during the start ends both.
func (c *Cmd) Start(ctx context.Context) error {
	c.begin("Start")
	began := false
	c.task = asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: c.name(), Eager: true}, asyncio.Void(func(ctx context.Context) error {
		began = true
		c.failed = c.launch(ctx)
		c.started.Set()
		if c.failed == nil {
			c.own(ctx)
		}
		c.over.Set()
		return nil
	}))
	if !began { // born cancelled: ctx is, or the loop shuts down
		c.phase = ended
		c.closeAll()
		_, c.failed = c.task.Await(ctx)
		c.over.Set()
		return c.failed
	}
	if err := c.started.Wait(ctx); err != nil {
		return err
	}
	return c.failed
}

// own supervises the command, and keeps the streams until Wait or the end of the scope.
func (c *Cmd) own(ctx context.Context) {
	_ = c.supervise(ctx) // Wait tells
	c.over.Set()
	if len(c.streams) > 0 {
		_ = c.waited.Wait(ctx)
	}
	c.closeStreams()
}

// Wait waits until the command has ended, what it wrote has been copied, and
// closes the streams of StdinPipe and the like. It returns what [Cmd.Run] would. It
// may be called more than once, and by several tasks.
//
// Cancelling ctx ends the wait and leaves the command alone; as a rule its scope is
// cancelled too, and ends it.
func (c *Cmd) Wait(ctx context.Context) error {
	c.mustBeStarted("Wait")
	if err := c.over.Wait(ctx); err != nil {
		return err
	}
	c.waited.Set()
	c.closeStreams()
	if c.failed != nil {
		return c.failed
	}
	return c.result
}

// Close ends the command if it runs: its process group gets SIGTERM, and SIGKILL
// after [Cmd.Grace]. Close returns when the program is gone and everything is
// closed; it is no cancellation point. Closing it twice does nothing.
//
//	defer cmd.Close(ctx)
func (c *Cmd) Close(ctx context.Context) {
	if c.task == nil {
		c.closeAll() // the streams of one that was never started
		return
	}
	c.waited.Set()
	if !c.over.IsSet() {
		c.task.Cancel(errClosed)
	}
	_, _ = c.task.Await(context.WithoutCancel(ctx))
}

func (c *Cmd) mustBeStarted(fn string) {
	if c.task == nil {
		panic(fmt.Sprintf("aioexec: Cmd.%s: %s was not started; call Start first", fn, c.name()))
	}
}
