//go:build linux

package aioexec_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aioexec"
)

// sh is a command of the shell.
func sh(script string, args ...string) *aioexec.Cmd {
	return aioexec.Command("sh", append([]string{"-c", script, "sh"}, args...)...)
}

func TestRun_Results(t *testing.T) {
	run(t, func(ctx context.Context) error {
		if err := aioexec.Command("true").Run(ctx); err != nil {
			t.Errorf("true: %v", err)
		}
		c := sh("exit 7")
		err := c.Run(ctx)
		wantErr(t, err, "exit status 7")
		if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 7 || c.ProcessState.ExitCode() != 7 {
			t.Errorf("exit 7: %#v, and the state is %v", err, c.ProcessState)
		}
		c = sh("kill -KILL $$")
		wantErr(t, c.Run(ctx), "signal: killed")
		if status := c.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
			t.Errorf("the state of a program that was killed is %v", c.ProcessState)
		}
		return nil
	})
}

func TestRun_WhatCannotBeStarted(t *testing.T) {
	run(t, func(ctx context.Context) error {
		plain := filepath.Join(t.TempDir(), "plain")
		if err := os.WriteFile(plain, []byte("not a program"), 0o600); err != nil {
			return err
		}
		for _, c := range []struct {
			cmd  *aioexec.Cmd
			text string
			is   error
		}{
			{aioexec.Command("no-such-program"), `exec: "no-such-program": executable file not found in $PATH`, exec.ErrNotFound},
			{aioexec.Command("/no/such/program"), "fork/exec /no/such/program: no such file or directory", fs.ErrNotExist},
			{aioexec.Command(plain), "fork/exec " + plain + ": permission denied", fs.ErrPermission},
			{&aioexec.Cmd{Path: "/bin/true", Dir: "/no/such/folder"}, "chdir /no/such/folder: no such file or directory", fs.ErrNotExist},
			{&aioexec.Cmd{}, "exec: no command", nil},
		} {
			var out bytes.Buffer
			c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = strings.NewReader("input"), &out, &out
			err := c.cmd.Run(ctx)
			wantErr(t, err, c.text)
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v does not match %v", err, c.is)
			}
		}
		return nil
	})
}

func TestStart_WhatCannotBeStarted(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := aioexec.Command("no-such-program")
		in, err := c.StdinPipe(ctx)
		if err != nil {
			return err
		}
		const text = `exec: "no-such-program": executable file not found in $PATH`
		wantErr(t, c.Start(ctx), text)
		wantErr(t, c.Wait(ctx), text)
		if _, err := in.Write([]byte("x")); err == nil {
			t.Error("the stream of a command that was not started takes data")
		}
		if c.Pid() != 0 {
			t.Errorf("its process id is %d", c.Pid())
		}
		wantErr(t, c.Kill(), "aioexec: Cmd.Kill: no-such-program was not started")
		c.Close(ctx)
		return nil
	})
}

func TestCmd_Fields(t *testing.T) {
	run(t, func(ctx context.Context) error {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			return err
		}
		extra, err := os.CreateTemp(dir, "")
		if err != nil {
			return err
		}
		defer extra.Close()
		if _, err := extra.WriteString("from the extra file"); err != nil {
			return err
		}
		if _, err := extra.Seek(0, 0); err != nil {
			return err
		}
		c := sh(`echo "$GREETING, $1"; pwd; cat <&3`, "world")
		c.Env, c.Dir, c.ExtraFiles = []string{"GREETING=hello", "PATH=" + os.Getenv("PATH")}, dir, []*os.File{extra}
		out, err := c.Output(ctx)
		if want := "hello, world\n" + dir + "\nfrom the extra file"; string(out) != want || err != nil {
			t.Errorf("Output = %q, %v, want %q", out, err, want)
		}
		if got := aioexec.Command("no-such-program", "a b").String(); got != "no-such-program a b" {
			t.Errorf("String = %s", got)
		}
		return nil
	})
}

// A process group is led by the program, unless it leads a session or is put elsewhere.
func TestCmd_ProcessGroup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, attr := range []*syscall.SysProcAttr{nil, {}, {Setsid: true}, {Setpgid: true}} {
			c := sh("read _; exit 3")
			c.SysProcAttr = attr
			var before syscall.SysProcAttr
			if attr != nil {
				before = *attr
			}
			in, err := c.StdinPipe(ctx)
			if err != nil {
				return err
			}
			if err := c.Start(ctx); err != nil {
				return err
			}
			pgid, err := syscall.Getpgid(c.Pid())
			if pgid != c.Pid() || err != nil {
				t.Errorf("the group of %d with %+v is %d, %v", c.Pid(), attr, pgid, err)
			}
			_ = in.Close()
			wantErr(t, c.Wait(ctx), "exit status 3")
			if attr != nil && !reflect.DeepEqual(*attr, before) {
				t.Errorf("the caller's attributes were changed: %+v", attr)
			}
		}
		leader := sh("read _")
		in, err := leader.StdinPipe(ctx)
		if err != nil {
			return err
		}
		if err := leader.Start(ctx); err != nil {
			return err
		}
		member := aioexec.Command("sleep", "1000")
		member.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: leader.Pid()}
		if err := member.Start(ctx); err != nil {
			return err
		}
		member.Close(ctx) // which leaves the leader alone
		wantErr(t, member.Wait(ctx), "signal: terminated")
		_ = in.Close()
		return ignoreStatus(leader.Wait(ctx))
	})
}

// ignoreStatus is err unless it is that a program failed.
func ignoreStatus(err error) error {
	if _, failed := errors.AsType[*exec.ExitError](err); failed {
		return nil
	}
	return err
}

func TestCmd_Misuse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		used := aioexec.Command("true")
		if err := used.Run(ctx); err != nil {
			return err
		}
		set := &aioexec.Cmd{Path: "/bin/true", Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}}
		for want, f := range map[string]func(){
			"aioexec: Cmd.Run: true was started already; make another with Command":      func() { _ = used.Run(ctx) },
			"aioexec: Cmd.Start: true was started already; make another with Command":    func() { _ = used.Start(ctx) },
			"aioexec: Cmd.StdinPipe: true was started already; ask for the pipe before":  func() { _, _ = used.StdinPipe(ctx) },
			"aioexec: Cmd.StderrPipe: true was started already; ask for the pipe before": func() { _, _ = used.StderrPipe(ctx) },
			"aioexec: Cmd.Wait: true was not started; call Start first":                  func() { _ = set.Wait(ctx) },
			"aioexec: Cmd.StdinPipe: Stdin is set already; use one of both":              func() { _, _ = set.StdinPipe(ctx) },
			"aioexec: Cmd.StdoutPipe: Stdout is set already; use one of both":            func() { _, _ = set.StdoutPipe(ctx) },
			"aioexec: Cmd.Output: Stdout is set already; use one of both":                func() { _, _ = set.Output(ctx) },
			"aioexec: Cmd.CombinedOutput: Stdout is set already; use one of both":        func() { _, _ = set.CombinedOutput(ctx) },
			"aioexec: Cmd.Communicate: Stdin is set already; use one of both":            func() { _, _, _ = set.Communicate(ctx, nil) },
		} {
			if got := panicOf(f); got != want {
				t.Errorf("panics with %s\nwant %s", got, want)
			}
		}
		return asyncio.Yield(ctx)
	})
}
