//go:build linux

package aioexec_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aioexec"
)

// whenItWrites is a writer that keeps what a program writes and calls f the first time.
type whenItWrites struct {
	bytes.Buffer
	f func()
}

func (w *whenItWrites) Write(p []byte) (int, error) {
	if w.f != nil {
		w.f()
		w.f = nil
	}
	return w.Buffer.Write(p)
}

// ReadFrom hides that of the buffer, which would not call Write.
func (w *whenItWrites) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(writer(w.Write), r)
}

// cancelled runs c, cancels it once it has written something, and returns what it has
// written by the end.
func cancelled(t *testing.T, ctx context.Context, c *aioexec.Cmd) string {
	t.Helper()
	ctx, cancel := asyncio.WithCancelCause(ctx)
	out := &whenItWrites{f: func() { cancel(errBoom) }}
	c.Stdout = out
	wantErr(t, c.Run(ctx), "asyncio: cancelled: boom")
	if group := groupOf(c.Pid()); len(group) > 0 {
		t.Errorf("%v: left of the process group: %v", c, group)
	}
	return out.String()
}

func TestRun_CancelledSendsTerm(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh(`trap 'echo cleaned up; exit 0' TERM; echo ready; while :; do read _; done`)
		if _, err := c.StdinPipe(ctx); err != nil {
			return err
		}
		if out := cancelled(t, ctx, c); out != "ready\ncleaned up\n" || c.ProcessState.ExitCode() != 0 {
			t.Errorf("the program wrote %q and ended with %v", out, c.ProcessState)
		}
		c = aioexec.Command("yes")
		if out := cancelled(t, ctx, c); c.ProcessState.String() != "signal: terminated" {
			t.Errorf("yes wrote %d bytes and ended with %v", len(out), c.ProcessState)
		}
		return nil
	})
}

func TestRun_CancelledKillsAfterTheGrace(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh(`trap 'echo no' TERM; echo ready; while :; do sleep 0.01; done`)
		c.Grace = 50 * time.Millisecond
		began := time.Now()
		out := cancelled(t, ctx, c)
		if !strings.HasPrefix(out, "ready\nno\n") || c.ProcessState.String() != "signal: killed" || time.Since(began) < c.Grace {
			t.Errorf("after %v the program had written %q and ended with %v", time.Since(began), out, c.ProcessState)
		}
		c = sh(`trap 'echo no' TERM; echo ready; while :; do sleep 0.01; done`)
		c.Grace = -1
		if out := cancelled(t, ctx, c); out != "ready\n" || c.ProcessState.String() != "signal: killed" {
			t.Errorf("without a grace the program wrote %q and ended with %v", out, c.ProcessState)
		}
		return nil
	})
}

func TestRun_CancelledEndsTheWholeGroup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh(`sleep 1000 & sleep 1000 | sleep 1000 & echo ready; wait`)
		if cancelled(t, ctx, c); c.ProcessState.String() != "signal: terminated" {
			t.Errorf("the program ended with %v", c.ProcessState)
		}
		// One that does not mind SIGTERM, while its parent does.
		c = sh(`(trap '' TERM; echo ready; exec sleep 1000) & wait`)
		c.Grace = 50 * time.Millisecond
		if cancelled(t, ctx, c); c.ProcessState.String() != "signal: terminated" {
			t.Errorf("the program ended with %v", c.ProcessState)
		}
		return nil
	})
}

// What has left the group is not ended, but cannot keep the command either.
func TestRun_CancelledDoesNotWaitForWhoHasLeftTheGroup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh(`setsid sh -c 'echo $$; exec sleep 1000' & wait`)
		c.WaitDelay = 20 * time.Millisecond
		return kill(t, cancelled(t, ctx, c))
	})
}

// kill ends the process with the number that was written.
func kill(t *testing.T, written string) error {
	t.Helper()
	var pid int
	for _, digit := range strings.TrimSpace(written) {
		pid = 10*pid + int(digit-'0')
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

func TestRun_GrandchildrenThatHoldThePipeDoNotHangIt(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh(`sleep 1000 & echo $!`)
		c.WaitDelay = 20 * time.Millisecond
		out, err := c.Output(ctx)
		if err != exec.ErrWaitDelay {
			t.Errorf("Output = %q, %v, want ErrWaitDelay", out, err)
		}
		if err := kill(t, string(out)); err != nil {
			t.Errorf("the process in the background was ended: %v", err)
		}

		c = sh(`sleep 1000 & echo $!; exit 5`) // the worse error wins
		c.WaitDelay = 20 * time.Millisecond
		out, err = c.Output(ctx)
		wantErr(t, err, "exit status 5")
		if err := kill(t, string(out)); err != nil {
			return err
		}

		c = sh(`(read _; echo late) & echo early`)
		c.WaitDelay = -1
		r, err := c.StdinPipe(ctx)
		if err != nil {
			return err
		}
		all := &whenItWrites{}
		c.Stdout = all
		if err := c.Start(ctx); err != nil {
			return err
		}
		waits := asyncio.Go(ctx, c.Wait)
		for c.ProcessState == nil {
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
		}
		_ = r.Close() // /dev/null is its stdin, as of all that sh starts in the background
		_, err = waits.Await(ctx)
		if all.String() != "early\nlate\n" && all.String() != "late\nearly\n" {
			t.Errorf("without a delay the output is %q", all)
		}
		return err
	})
}

func TestRun_TimeoutIsATimeout(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := aioexec.Command("sleep", "1000")
		err := asyncio.Timeout(ctx, 20*time.Millisecond, c.Run)
		if !errors.Is(err, asyncio.ErrTimeout) || c.ProcessState.String() != "signal: terminated" {
			t.Errorf("Timeout = %v, and the program ended with %v", err, c.ProcessState)
		}
		out, err := asyncio.WaitFor(ctx, 20*time.Millisecond, sh("echo first; exec sleep 1000").Output)
		if !errors.Is(err, asyncio.ErrTimeout) || string(out) != "first\n" && string(out) != "" {
			t.Errorf("WaitFor = %q, %v", out, err)
		}
		return nil
	})
}

// Whenever the cancellation comes, nothing is left.
func TestRun_CancelledAtEveryMoment(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for turns := range 60 {
			ctx, cancel := asyncio.WithCancel(ctx)
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				_, _, err := sh("cat; echo err >&2").Communicate(ctx, []byte("input"))
				return err
			})
			for range turns {
				if err := asyncio.Sleep(context.WithoutCancel(ctx), 50*time.Microsecond); err != nil {
					return err
				}
			}
			cancel()
			if _, err := task.Await(context.WithoutCancel(ctx)); err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled after %d turns: %v", turns, err)
			}
		}
		return nil
	})
}

func TestRun_UnderACancelledContextDoesNotStart(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ctx, cancel := asyncio.WithCancel(ctx)
		cancel()
		for name, f := range map[string]func(c *aioexec.Cmd) error{
			"Run":   func(c *aioexec.Cmd) error { return c.Run(ctx) },
			"Start": func(c *aioexec.Cmd) error { return c.Start(ctx) },
			"Output": func(c *aioexec.Cmd) error {
				_, err := c.Output(ctx)
				return err
			},
		} {
			c := aioexec.Command("true")
			if err := f(c); !errors.Is(err, context.Canceled) || c.Pid() != 0 {
				t.Errorf("%s = %v, and the process id is %d", name, err, c.Pid())
			}
		}
		return nil
	})
}
