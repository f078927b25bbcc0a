package asyncio_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// programs are what the test binary runs as when mainEnv names one.
var programs = map[string]func(ctx context.Context) error{
	"success": func(ctx context.Context) error { return asyncio.Yield(ctx) },
	"failure": func(ctx context.Context) error { return errBoom },
	"panics":  func(ctx context.Context) error { explode(); return nil },
	"waits": func(ctx context.Context) error {
		fmt.Println("ready")
		err := asyncio.Sleep(ctx, time.Hour)
		fmt.Println("cleaned up")
		return err
	},
	"returns ctx.Err": func(ctx context.Context) error {
		fmt.Println("ready")
		_ = asyncio.Sleep(ctx, time.Hour)
		return ctx.Err()
	},
	"swallows": func(ctx context.Context) error {
		fmt.Println("ready")
		_ = asyncio.Sleep(ctx, time.Hour)
		return nil
	},
	"blocks": func(ctx context.Context) error {
		fmt.Println("ready")
		_ = asyncio.Sleep(ctx, time.Hour)
		fmt.Println("blocking")
		time.Sleep(time.Hour) // for the second signal to end
		return nil
	},
	"blocks for a while": func(ctx context.Context) error {
		fmt.Println("ready")
		_, _ = io.ReadAll(os.Stdin)
		err := asyncio.Sleep(ctx, time.Hour)
		fmt.Println("cleaned up")
		return err
	},
	"blocks from the start": func(ctx context.Context) error {
		first := make(chan os.Signal, 1)
		signal.Notify(first, os.Interrupt)
		fmt.Println("ready")
		fmt.Println("blocking, with", <-first)
		time.Sleep(time.Hour) // for the second signal to end
		return nil
	},
	"cleans up for long": func(ctx context.Context) error {
		fmt.Println("ready")
		_ = asyncio.Sleep(ctx, time.Hour)
		fmt.Println("cleaning up")
		return asyncio.Sleep(context.WithoutCancel(ctx), time.Hour)
	},
	"shuts down for long": func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			first := make(chan os.Signal, 1)
			signal.Notify(first, syscall.SIGTERM)
			_ = asyncio.Sleep(ctx, time.Hour)
			fmt.Println("shutting down")
			s, _, err := asyncio.Recv(context.WithoutCancel(ctx), first)
			fmt.Println("in spite of", s)
			return errors.Join(err, asyncio.Sleep(context.WithoutCancel(ctx), time.Hour))
		})
		return asyncio.Yield(ctx)
	},
}

const mainEnv = "ASYNCIO_TEST_PROGRAM"

// runProgram runs a program in a process of its own, sends it the signals, each
// after a line of output (nil is none), and returns its status and output. After the
// last signal it closes the program's stdin.
func runProgram(t *testing.T, name string, signals ...os.Signal) (status int, stdout, stderr string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), mainEnv+"="+name, "ASYNCIODEBUG=0")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for _, s := range signals {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Errorf("%s: %v; stderr: %s", name, err, errOut.String())
		}
		stdout += line
		if s == nil {
			continue
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Error(err)
		}
	}
	_ = in.Close()
	rest, _ := io.ReadAll(lines)
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout + string(rest), errOut.String()
}

func TestMainEntry_ExitStatus(t *testing.T) {
	for _, c := range []struct {
		name    string
		signals []os.Signal
		status  int
		stdout  string
		stderr  string // what it begins with
	}{
		{name: "success"},
		{name: "failure", status: 1, stderr: "boom\n"},
		{name: "panics", status: 2, stderr: "panic: asyncio: Task-1 panicked: kaboom"},
		{name: "waits", signals: []os.Signal{os.Interrupt}, status: 130, stdout: "ready\ncleaned up\n",
			stderr: "asyncio: cancelled: received signal: interrupt\n"},
		{name: "waits", signals: []os.Signal{syscall.SIGTERM}, status: 143, stdout: "ready\ncleaned up\n",
			stderr: "asyncio: cancelled: received signal: terminated\n"},
		{name: "returns ctx.Err", signals: []os.Signal{os.Interrupt}, status: 130, stdout: "ready\n", stderr: "context canceled\n"},
		{name: "swallows", signals: []os.Signal{os.Interrupt}, stdout: "ready\n"},
		{name: "blocks", signals: []os.Signal{os.Interrupt, syscall.SIGTERM}, status: 143, stdout: "ready\nblocking\n",
			stderr: "asyncio: terminated again, exiting at once\n"},
		{name: "blocks for a while", signals: []os.Signal{syscall.SIGTERM}, status: 143, stdout: "ready\ncleaned up\n",
			stderr: "asyncio: cancelled: received signal: terminated\n"},
		{name: "blocks from the start", signals: []os.Signal{os.Interrupt, syscall.SIGTERM}, status: 143,
			stdout: "ready\nblocking, with interrupt\n", stderr: "asyncio: terminated again, exiting at once\n"},
		{name: "cleans up for long", signals: []os.Signal{os.Interrupt, os.Interrupt}, status: 130,
			stdout: "ready\ncleaning up\n", stderr: "asyncio: interrupt again, exiting at once\n"},
		{name: "cleans up for long", signals: []os.Signal{os.Interrupt, syscall.SIGTERM}, status: 143,
			stdout: "ready\ncleaning up\n", stderr: "asyncio: terminated again, exiting at once\n"},
		{name: "shuts down for long", signals: []os.Signal{syscall.SIGTERM, os.Interrupt}, status: 130,
			stdout: "shutting down\nin spite of terminated\n", stderr: "asyncio: interrupt again, exiting at once\n"},
	} {
		status, stdout, stderr := runProgram(t, c.name, c.signals...)
		if status != c.status || stdout != c.stdout || !strings.HasPrefix(stderr, c.stderr) || c.stderr == "" && stderr != "" {
			t.Errorf("%s after %v: status %d, stdout %q, stderr %q\nwant status %d, stdout %q, stderr %q",
				c.name, c.signals, status, stdout, stderr, c.status, c.stdout, c.stderr)
		}
	}
}
