//go:build linux

package aioexec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aioexec"
)

// ready starts c and waits until the program has written a line.
func ready(ctx context.Context, c *aioexec.Cmd) error {
	out, err := c.StdoutPipe(ctx)
	if err != nil {
		return err
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	_, err = out.ReadLine()
	return err
}

func TestStart_EndsWithTheScope(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh("echo ready; exec sleep 1000")
		err := asyncio.Timeout(ctx, time.Hour, func(ctx context.Context) error { return ready(ctx, c) })
		if err != nil {
			return err
		}
		wantErr(t, c.Wait(ctx), "signal: terminated")

		c = sh("echo ready; exec sleep 1000")
		scope, cancel := asyncio.WithCancel(ctx)
		if err := ready(scope, c); err != nil {
			return err
		}
		cancel()
		if err := c.Wait(scope); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait in the scope = %v, want the cancellation", err)
		}
		wantErr(t, c.Wait(ctx), "signal: terminated")
		return nil
	})
}

func TestStart_EndsWithTheLoop(t *testing.T) {
	var c *aioexec.Cmd
	run(t, func(ctx context.Context) error {
		c = sh("trap 'exit 9' TERM; sleep 1000 & echo ready; wait")
		_, err := asyncio.Go(ctx, func(ctx context.Context) error { return ready(ctx, c) }).Await(ctx)
		return err // and nobody waits for it
	})
	if c.ProcessState == nil || c.ProcessState.ExitCode() != 9 {
		t.Errorf("when its loop was closed the program ended with %v", c.ProcessState)
	}
}

func TestStart_CancelledAtEveryMoment(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for turns := range 40 {
			c := aioexec.Command("sleep", "1000")
			c.Stdin, c.Stdout = strings.NewReader("input"), &bytes.Buffer{}
			scope, cancel := asyncio.WithCancel(ctx)
			task := asyncio.Go(scope, func(ctx context.Context) error {
				if err := c.Start(ctx); err != nil {
					return err
				}
				return c.Wait(ctx)
			})
			for range turns {
				if err := asyncio.Sleep(ctx, 50*time.Microsecond); err != nil {
					return err
				}
			}
			cancel()
			if _, err := task.Await(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled after %d turns: %v", turns, err)
			}
			c.Close(ctx)
			if n := len(groupOf(c.Pid())); c.Pid() != 0 && n > 0 {
				t.Errorf("cancelled after %d turns, %d processes are left", turns, n)
			}
		}
		return nil
	})
}

func TestWait_BySeveralAndCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh("echo ready; read _; exit 4")
		in, err := c.StdinPipe(ctx)
		if err != nil {
			return err
		}
		if err := ready(ctx, c); err != nil {
			return err
		}
		err = asyncio.Timeout(ctx, time.Millisecond, c.Wait)
		if !errors.Is(err, asyncio.ErrTimeout) || c.ProcessState != nil {
			t.Errorf("Wait in a timeout = %v, and the state is %v", err, c.ProcessState)
		}
		waits := []*asyncio.Task[struct{}]{asyncio.Go(ctx, c.Wait), asyncio.Go(ctx, c.Wait), asyncio.Go(ctx, c.Wait)}
		if _, err := in.Write([]byte("\n")); err != nil {
			return err
		}
		for _, w := range waits {
			_, err := w.Await(ctx)
			wantErr(t, err, "exit status 4")
		}
		return nil
	})
}

func TestClose_EndsTheCommand(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh("trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done")
		if err := ready(ctx, c); err != nil {
			return err
		}
		scope, cancel := asyncio.WithCancel(ctx)
		cancel()
		c.Close(scope) // it is no cancellation point
		if c.ProcessState == nil || c.ProcessState.ExitCode() != 9 {
			t.Errorf("after Close the program has ended with %v", c.ProcessState)
		}
		c.Close(ctx)
		wantErr(t, c.Wait(ctx), "exit status 9")

		c = aioexec.Command("true") // one that was never started
		in, err := c.StdinPipe(ctx)
		if err != nil {
			return err
		}
		c.Close(ctx)
		if _, err := in.Write([]byte("x")); err == nil {
			t.Error("its stream is open")
		}
		return nil
	})
}

func TestSignal_ReachesTheProgram(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh("trap 'echo usr1' USR1; echo ready; while :; do read _ || sleep 0.01; done")
		out, err := c.StdoutPipe(ctx)
		if err != nil {
			return err
		}
		if err := c.Start(ctx); err != nil {
			return err
		}
		var lines []string
		for line, err := range out.Lines() {
			if err != nil {
				return err
			}
			if lines = append(lines, string(line)); len(lines) == 1 {
				err = c.Signal(syscall.SIGUSR1)
			} else {
				_, err = asyncio.Blocking(ctx, asyncio.Void(func(context.Context) error { return c.Kill() }))
			}
			if err != nil {
				return err
			}
		}
		wantErr(t, c.Wait(ctx), "signal: killed")
		if fmt.Sprint(lines) != "[ready usr1]" {
			t.Errorf("it wrote %v", lines)
		}
		for name, f := range map[string]func() error{
			"Kill": c.Kill, "Terminate": c.Terminate, "Signal": func() error { return c.Signal(os.Interrupt) },
		} {
			err := f()
			wantErr(t, err, "aioexec: Cmd."+name+": sh: os: process already finished")
			if !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("%v does not match os.ErrProcessDone", err)
			}
		}
		return nil
	})
}

func TestTerminate_ReachesTheGroup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh("trap 'wait; exit 9' TERM; (trap 'echo child; exit' TERM; echo ready; while :; do sleep 0.01; done) & wait")
		out, err := c.StdoutPipe(ctx)
		if err != nil {
			return err
		}
		if err := c.Start(ctx); err != nil {
			return err
		}
		if _, err := out.ReadLine(); err != nil {
			return err
		}
		if err := c.Terminate(); err != nil {
			return err
		}
		text, err := io.ReadAll(out)
		if string(text) != "child\n" || err != nil {
			t.Errorf("it wrote %q, %v", text, err)
		}
		wantErr(t, c.Wait(ctx), "exit status 9")
		return nil
	})
}
