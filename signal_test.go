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
}

const mainEnv = "ASYNCIO_TEST_PROGRAM"

// runProgram runs a program in a process of its own, sends it the signals, each
// after a line of output, and returns its status and output.
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
		if err := cmd.Process.Signal(s); err != nil {
			t.Error(err)
		}
	}
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
	} {
		status, stdout, stderr := runProgram(t, c.name, c.signals...)
		if status != c.status || stdout != c.stdout || !strings.HasPrefix(stderr, c.stderr) || c.stderr == "" && stderr != "" {
			t.Errorf("%s after %v: status %d, stdout %q, stderr %q\nwant status %d, stdout %q, stderr %q",
				c.name, c.signals, status, stdout, stderr, c.status, c.stdout, c.stderr)
		}
	}
}
