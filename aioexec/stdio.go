package aioexec

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"reflect"
	"syscall"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// StdinPipe is a stream that the program reads once it is started. Close it for
// the program to see the end. What is written after the program has exited fails
// with an error that matches [syscall.EPIPE].
//
// A stream is closed by Wait, once the program has exited, by Close, and at the
// end of the scope that the command was started in.
func (c *Cmd) StdinPipe(ctx context.Context) (*aionet.Conn, error) {
	c.mustBe(fresh, "StdinPipe", "was started already; ask for the pipe before")
	mustBeFree(c.Stdin == nil, "StdinPipe", "Stdin")
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s, err := c.stream(ctx, w, r)
	if err == nil {
		c.Stdin = r
	}
	return s, err
}

// StdoutPipe is a stream of what the program writes to its stdout. Read it to its
// end before Wait, which closes it. See [Cmd.StdinPipe].
func (c *Cmd) StdoutPipe(ctx context.Context) (*aionet.Conn, error) {
	return c.outputPipe(ctx, &c.Stdout, "Stdout")
}

// StderrPipe is [Cmd.StdoutPipe] for stderr.
func (c *Cmd) StderrPipe(ctx context.Context) (*aionet.Conn, error) {
	return c.outputPipe(ctx, &c.Stderr, "Stderr")
}

func (c *Cmd) outputPipe(ctx context.Context, to *io.Writer, what string) (*aionet.Conn, error) {
	c.mustBe(fresh, what+"Pipe", "was started already; ask for the pipe before")
	mustBeFree(*to == nil, what+"Pipe", what)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s, err := c.stream(ctx, r, w)
	if err == nil {
		*to = w
	}
	return s, err
}

// stream makes ours, an end of a pipe, a stream for the user; theirs is the other.
func (c *Cmd) stream(ctx context.Context, ours, theirs *os.File) (*aionet.Conn, error) {
	s, err := c.connect(ctx, ours, theirs)
	if err == nil {
		c.streams = append(c.streams, s)
	}
	return s, err
}

// connect puts ours on the loop, and theirs among the files that the program gets.
func (c *Cmd) connect(ctx context.Context, ours, theirs *os.File) (*aionet.Conn, error) {
	s, err := aionet.NewPipe(ctx, ours)
	if err != nil {
		_ = ours.Close()
		_ = theirs.Close()
		return nil, err
	}
	c.files = append(c.files, theirs)
	return s, nil
}

func mustBeFree(free bool, fn, field string) {
	if !free {
		panic("aioexec: Cmd." + fn + ": " + field + " is set already; use one of both")
	}
}

func (c *Cmd) connectStdin(ctx context.Context, x *exec.Cmd) error {
	if f, ok := c.Stdin.(*os.File); ok || c.Stdin == nil {
		if f != nil {
			x.Stdin = f
		}
		return nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	conn, err := c.connect(ctx, w, r)
	if err != nil {
		return err
	}
	x.Stdin = r
	c.feeder, err = c.startPump(ctx, conn, "stdin", func() error {
		_, err := io.Copy(conn, c.Stdin)
		if errors.Is(err, syscall.EPIPE) {
			return nil // it does not want to read more
		}
		return err
	})
	return err
}

func (c *Cmd) connectOutput(ctx context.Context, x *exec.Cmd) (err error) {
	if x.Stdout, err = c.sink(ctx, c.Stdout, "stdout"); err != nil {
		return err
	}
	if same(c.Stdout, c.Stderr) {
		x.Stderr = x.Stdout
		return nil
	}
	x.Stderr, err = c.sink(ctx, c.Stderr, "stderr")
	return err
}

// sink is the file that the program is to write to so that w gets it.
func (c *Cmd) sink(ctx context.Context, w io.Writer, what string) (io.Writer, error) {
	if f, ok := w.(*os.File); ok || w == nil {
		if f == nil {
			return nil, nil
		}
		return f, nil
	}
	r, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	conn, err := c.connect(ctx, r, theirs)
	if err != nil {
		return nil, err
	}
	_, err = c.startPump(ctx, conn, what, func() error {
		_, err := io.Copy(w, conn)
		return err
	})
	return theirs, err
}

// same is a == b for writers that may be of a type that has no equality.
func same(a, b io.Writer) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

func closeFiles(files *[]*os.File) {
	for _, f := range *files {
		_ = f.Close()
	}
	*files = nil
}

// A pump is a task that copies between a pipe and a reader or writer. No
// cancellation from outside reaches it: what a program writes while it is being
// ended is still wanted. It ends with the pipe, or is halted.
type pump struct {
	conn   *aionet.Conn
	task   *asyncio.Task[struct{}]
	gate   asyncio.Event // the program was started: until then nothing is read
	cancel func()
	halted bool
	err    error
}

func (c *Cmd) startPump(ctx context.Context, conn *aionet.Conn, what string, copy func() error) (*pump, error) {
	p := &pump{conn: conn}
	c.pumps = append(c.pumps, p)
	body := func(ctx context.Context, g *asyncio.TaskGroup) error {
		defer conn.Close()
		p.cancel = g.Cancel
		if p.gate.Wait(ctx) == nil {
			p.err = copy()
		}
		return nil
	}
	options := asyncio.TaskOptions{Name: c.name() + " " + what, Eager: true}
	p.task = asyncio.SpawnWith(ctx, options, func(ctx context.Context) (struct{}, error) {
		return asyncio.Shield(ctx, asyncio.Void(func(ctx context.Context) error { return asyncio.Group(ctx, body) }))
	})
	if p.cancel == nil { // born cancelled: the loop shuts down
		_, err := p.task.Await(context.WithoutCancel(ctx))
		return p, err
	}
	return p, nil
}

// halt ends the pump's task soon.
func (p *pump) halt() {
	if p.cancel != nil && !p.task.Done() {
		p.halted = true
		p.cancel()
	}
}

// verdict is the pump's error, once its task is done. A panic of a reader or writer
// is one; that it was halted is none.
func (p *pump) verdict() error {
	_, err := p.task.Result()
	var panicked *asyncio.PanicError
	if errors.As(err, &panicked) {
		return err
	}
	if p.halted {
		return nil
	}
	return p.err
}
