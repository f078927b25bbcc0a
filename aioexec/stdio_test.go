//go:build linux

package aioexec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aioexec"
)

func TestOutput_Results(t *testing.T) {
	run(t, func(ctx context.Context) error {
		out, err := sh("echo out; echo err >&2; exit 3").Output(ctx)
		failed, ok := errors.AsType[*exec.ExitError](err)
		if string(out) != "out\n" || !ok || string(failed.Stderr) != "err\n" || failed.ExitCode() != 3 {
			t.Errorf("Output = %q, %v", out, err)
		}
		out, err = sh("echo out; echo err >&2; echo out again").CombinedOutput(ctx)
		if string(out) != "out\nerr\nout again\n" || err != nil {
			t.Errorf("CombinedOutput = %q, %v", out, err)
		}
		out, errOut, err := sh("read line; echo $line, read; echo err >&2; cat").Communicate(ctx, []byte("first\nrest\n"))
		if string(out) != "first, read\nrest\n" || string(errOut) != "err\n" || err != nil {
			t.Errorf("Communicate = %q, %q, %v", out, errOut, err)
		}
		var stderr bytes.Buffer
		c := sh("echo mine >&2; exit 3")
		c.Stderr = &stderr
		_, err = c.Output(ctx)
		if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.Stderr != nil || stderr.String() != "mine\n" {
			t.Errorf("with a Stderr of its own, Output = %v, and that is %q", err, &stderr)
		}
		return nil
	})
}

func TestOutput_KeepsTheEndOfStderr(t *testing.T) {
	run(t, func(ctx context.Context) error {
		_, err := sh("yes 0123456789abcde | head -n 8192 >&2; printf the-end >&2; exit 1").Output(ctx)
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok || len(failed.Stderr) != 64<<10 || !bytes.HasSuffix(failed.Stderr, []byte("cde\nthe-end")) {
			t.Errorf("Output = %v, with %d bytes of stderr", err, len(failed.Stderr))
		}
		return nil
	})
}

func TestStdio_FilesAreHandedToTheProgram(t *testing.T) {
	run(t, func(ctx context.Context) error {
		name := filepath.Join(t.TempDir(), "file")
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		defer f.Close()
		c := sh("readlink /proc/$$/fd/1; readlink /proc/$$/fd/0; readlink /proc/$$/fd/2 >&2")
		c.Stdout = f
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Run(ctx); err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if string(text) != name+"\n/dev/null\n" || !strings.HasPrefix(stderr.String(), "pipe:") {
			t.Errorf("the program has %q and %q", text, &stderr)
		}
		if _, err := f.Stat(); err != nil {
			t.Errorf("the file was closed: %v", err)
		}
		return err
	})
}

// A program that reads little is not an error, whatever else it is given.
func TestCommunicate_ClosedStdinIsNoError(t *testing.T) {
	run(t, func(ctx context.Context) error {
		input := bytes.Repeat([]byte("line\n"), 1<<20)
		for script, want := range map[string]string{
			"exec <&-; echo closed; sleep 0.01": "closed\n",
			"head -n 1":                         "line\n",
			":":                                 "",
		} {
			out, _, err := sh(script).Communicate(ctx, input)
			if string(out) != want || err != nil {
				t.Errorf("%s: Communicate = %q, %v", script, out, err)
			}
		}
		return nil
	})
}

// A gibReader makes n bytes of which each knows its place.
type pattern struct{ n, at int }

func (p *pattern) Read(b []byte) (int, error) {
	if p.at == p.n {
		return 0, io.EOF
	}
	i := p.at % len(patternText)
	k := copy(b, patternText[i:min(len(patternText), i+p.n-p.at)])
	p.at += k
	return k, nil
}

// Write checks that b continues what was written before.
func (p *pattern) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		i := p.at % len(patternText)
		k := min(len(rest), len(patternText)-i)
		if !bytes.Equal(rest[:k], patternText[i:i+k]) {
			return 0, fmt.Errorf("what came at %d is wrong", p.at)
		}
		rest = rest[k:]
		p.at += k
	}
	return len(b), nil
}

var patternText = func() []byte {
	text := make([]byte, 999_983) // a prime: no buffer's size divides it
	for i := range text {
		text[i] = byte(i*i>>7 ^ i)
	}
	return text
}()

func TestStdio_AGibibyteBothWays(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const size = 1 << 30
		c := aioexec.Command("cat")
		sent, got := &pattern{n: size}, &pattern{}
		c.Stdin, c.Stdout = sent, got
		before := allocated()
		if err := c.Run(ctx); err != nil {
			return err
		}
		if got.at != size {
			t.Errorf("%d bytes came back, want %d", got.at, size)
		}
		if n := allocated() - before; n > 4<<20 {
			t.Errorf("%d bytes were allocated for it", n)
		}
		return nil
	})
}

func TestStdio_WriterThatFailsEndsTheProgramsOutput(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := aioexec.Command("yes")
		c.Stdout = writer(func([]byte) (int, error) { return 0, errBoom })
		err := c.Run(ctx)
		wantErr(t, err, "signal: broken pipe")
		c = sh("echo a")
		c.Stdout = writer(func([]byte) (int, error) { return 0, errBoom })
		wantErr(t, c.Run(ctx), "boom") // of a program that succeeds
		c = sh("cat; exit 0")
		c.Stdin = io.MultiReader(strings.NewReader("a"), reader(func([]byte) (int, error) { return 0, errBoom }))
		wantErr(t, c.Run(ctx), "boom")
		return nil
	})
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

type reader func(p []byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

// A reader that never ends, and waits by an await, does not keep the command.
func TestStdio_ReaderThatWaitsIsLeftWhenTheProgramExits(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var never asyncio.Event
		c := aioexec.Command("true")
		c.Stdin = reader(func([]byte) (int, error) {
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return 0, err
			}
			return 0, never.Wait(l.Context())
		})
		return c.Run(ctx)
	})
}

func TestStreams_ATalkWithTheProgram(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh(`while read a b; do echo $((a + b)); done; echo bye >&2`)
		in, err := c.StdinPipe(ctx)
		if err != nil {
			return err
		}
		out, err := c.StdoutPipe(ctx)
		if err != nil {
			return err
		}
		errOut, err := c.StderrPipe(ctx)
		if err != nil {
			return err
		}
		if err := c.Start(ctx); err != nil {
			return err
		}
		buf := make([]byte, 100)
		for i := range 10 {
			fmt.Fprintln(in, i, i)
			if n, err := out.Read(buf); string(buf[:n]) != fmt.Sprintln(2*i) || err != nil {
				t.Errorf("the answer is %q, %v", buf[:n], err)
			}
		}
		_ = in.Close()
		text, err := io.ReadAll(errOut)
		if string(text) != "bye\n" || err != nil {
			t.Errorf("stderr is %q, %v", text, err)
		}
		err = c.Wait(ctx)
		if _, readErr := out.Read(buf); readErr == nil {
			t.Error("the stream can be read after Wait")
		}
		return errors.Join(err, c.Wait(ctx)) // again
	})
}

func TestStreams_WriteToAProgramThatHasExited(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh("exec <&-; echo closed; read _ <&2")
		in, err := c.StdinPipe(ctx)
		if err != nil {
			return err
		}
		out, err := c.StdoutPipe(ctx)
		if err != nil {
			return err
		}
		if err := c.Start(ctx); err != nil {
			return err
		}
		if _, err := out.Read(make([]byte, 10)); err != nil {
			return err
		}
		if _, err := in.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("the write to a closed stdin fails with %v, want EPIPE", err)
		}
		return ignoreStatus(c.Wait(ctx))
	})
}

// The streams of a command that nobody waits for are there until the scope ends.
func TestStreams_CanBeReadAfterTheExit(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := sh("echo last words")
		out, err := c.StdoutPipe(ctx)
		if err != nil {
			return err
		}
		if err := c.Start(ctx); err != nil {
			return err
		}
		for c.ProcessState == nil {
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
		}
		text, err := io.ReadAll(out)
		if string(text) != "last words\n" || err != nil {
			t.Errorf("after the exit the stream has %q, %v", text, err)
		}
		return nil
	})
}
