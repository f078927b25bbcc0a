//go:build linux

package aioexec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aioexec"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// All of them live at the same time: each waits until all are there.
func TestMany_NoStatusIsLost(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const n = 1000
		all := asyncio.NewBarrier(n)
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for i := range n {
				g.Go(func(ctx context.Context) error {
					c := sh("read _; exit $1", fmt.Sprint(i%256))
					in, err := c.StdinPipe(ctx)
					if err != nil {
						return err
					}
					if err := c.Start(ctx); err != nil {
						return err
					}
					if _, err := all.Wait(ctx); err != nil {
						return err
					}
					_ = in.Close()
					if err := ignoreStatus(c.Wait(ctx)); err != nil {
						return err
					}
					if got := c.ProcessState.ExitCode(); got != i%256 {
						return fmt.Errorf("command %d ended with %d, want %d", i, got, i%256)
					}
					return nil
				})
			}
			return nil
		})
	})
}

func TestMany_CancelledTogether(t *testing.T) {
	run(t, func(ctx context.Context) error {
		started := 0
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range 100 {
				g.Go(func(ctx context.Context) error {
					c := sh("echo ready; exec sleep 1000")
					c.Stdout = &whenItWrites{f: func() {
						if started++; started == 100 {
							g.Cancel()
						}
					}}
					return c.Run(ctx)
				})
			}
			return nil
		})
		if started != 100 {
			t.Errorf("%d of 100 were started", started)
		}
		return err
	})
}

// A leftover can run commands while the loop shuts down, if no task is needed for it.
func TestShutdown_CommandsOfTheCleanup(t *testing.T) {
	name := t.TempDir() + "/cleaned"
	var outputErr, startErr error
	run(t, func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			_ = asyncio.Sleep(ctx, time.Hour)
			ctx = context.WithoutCancel(ctx)
			_, outputErr = aioexec.Command("true").Output(ctx)
			startErr = aioexec.Command("true").Start(ctx)
			return aioexec.Command("touch", name).Run(ctx)
		})
		return asyncio.Yield(ctx)
	})
	for _, err := range []error{outputErr, startErr} {
		if !errors.Is(err, asyncio.ErrLoopClosed) {
			t.Errorf("what needs a task fails with %v, want ErrLoopClosed", err)
		}
	}
	var out bytes.Buffer
	run(t, func(ctx context.Context) error {
		c := aioexec.Command("ls", name)
		c.Stdout = &out
		return c.Run(ctx)
	})
	if out.String() != name+"\n" {
		t.Errorf("the command of the cleanup has made %q", &out)
	}
}

// A shutdown that is over before the grace is leaves no process either.
func TestShutdown_KillsWhatDoesNotEndInTime(t *testing.T) {
	for name, start := range map[string]func(ctx context.Context, c *aioexec.Cmd) error{
		"Start": ready,
		"Run": func(ctx context.Context, c *aioexec.Cmd) error {
			r := asyncio.NewFuture[struct{}](ctx)
			c.Stdout = &whenItWrites{f: func() { r.SetResult(struct{}{}) }}
			asyncio.Go(ctx, c.Run)
			_, err := r.Await(ctx)
			return err
		},
	} {
		before := openFiles()
		r := asyncio.Runner{}
		r.Options.ShutdownTimeout = 50 * time.Millisecond
		r.Options.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
		c := sh("trap '' TERM; echo ready; while :; do sleep 0.01; done")
		err := r.Run(t.Context(), func(ctx context.Context) error { return start(ctx, c) })
		var left *asyncio.ShutdownError
		if !errors.As(err, &left) || len(left.Left) == 0 || !strings.Contains(left.Left[0], "sh") && name == "Start" {
			t.Errorf("%s: Run = %v, want a ShutdownError", name, err)
		}
		if left := leftBehind(before); left != "" {
			t.Errorf("%s: left behind: %s", name, left)
		}
		if left := leftOfGroup(c.Pid()); len(left) > 0 {
			t.Errorf("%s: processes left behind: %v", name, left)
		}
	}
}

func TestRun_PanicOfAWriterIsAnError(t *testing.T) {
	before := openFiles()
	log := &asynciotest.Log{}
	r := asyncio.Runner{}
	r.Options.Logger = slog.New(log)
	err := r.Run(t.Context(), func(ctx context.Context) error {
		c := sh("echo a")
		c.Stdout = writer(func([]byte) (int, error) { panic("kaboom") })
		err := c.Run(ctx)
		if pe, ok := errors.AsType[*asyncio.PanicError](err); !ok || pe.Value != "kaboom" {
			t.Errorf("Run = %v, want the panic", err)
		}
		return nil
	})
	if n := log.Count("ERROR "); err != nil || n != 1 {
		t.Errorf("Run = %v, and logged:\n%s", err, log.Text())
	}
	if left := leftBehind(before); left != "" {
		t.Errorf("left behind: %s", left)
	}
}
