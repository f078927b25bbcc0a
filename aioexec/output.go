package aioexec

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
)

// Output is [Cmd.Run] that returns what the program writes to stdout. If the
// program fails, the Stderr of the [*exec.ExitError] is the last 64 KiB of its
// stderr, unless Stderr is set.
func (c *Cmd) Output(ctx context.Context) ([]byte, error) {
	mustBeFree(c.Stdout == nil, "Output", "Stdout")
	var stdout bytes.Buffer
	c.Stdout = &stdout
	var stderr *tail
	if c.Stderr == nil {
		stderr = &tail{}
		c.Stderr = stderr
	}
	err := c.Run(ctx)
	var failed *exec.ExitError
	if stderr != nil && errors.As(err, &failed) {
		failed.Stderr = stderr.bytes
	}
	return stdout.Bytes(), err
}

// CombinedOutput is [Cmd.Run] that returns what the program writes to stdout and
// stderr, in the order in which it does.
func (c *Cmd) CombinedOutput(ctx context.Context) ([]byte, error) {
	mustBeFree(c.Stdout == nil, "CombinedOutput", "Stdout")
	mustBeFree(c.Stderr == nil, "CombinedOutput", "Stderr")
	var both bytes.Buffer
	c.Stdout, c.Stderr = &both, &both
	err := c.Run(ctx)
	return both.Bytes(), err
}

// Communicate is [Cmd.Run] with input for the program, that returns what it
// writes to stdout and to stderr. That a program ends before it has read everything is
// no error.
func (c *Cmd) Communicate(ctx context.Context, input []byte) (stdout, stderr []byte, err error) {
	mustBeFree(c.Stdin == nil, "Communicate", "Stdin")
	mustBeFree(c.Stdout == nil, "Communicate", "Stdout")
	mustBeFree(c.Stderr == nil, "Communicate", "Stderr")
	var out, errOut bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), &out, &errOut
	err = c.Run(ctx)
	return out.Bytes(), errOut.Bytes(), err
}

// A tail keeps the end of what is written to it.
type tail struct{ bytes []byte }

const maxTail = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.bytes = append(t.bytes, p[max(0, len(p)-maxTail):]...)
	if over := len(t.bytes) - maxTail; over > 0 {
		t.bytes = append(t.bytes[:0], t.bytes[over:]...)
	}
	return len(p), nil
}
