package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"
)

// programEnv makes the program of the test binary.
const programEnv = "KV_PROGRAM"

// TestMain fails the suite if it leaves a goroutine of the library behind. In a
// process that a test has started it is the server instead.
func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		main()
		return
	}
	code := m.Run()
	if code == 0 {
		if left := loopGoroutines(); left != "" {
			fmt.Fprintf(os.Stderr, "goroutines left behind by the suite:\n%s\n", left)
			code = 1
		}
	}
	os.Exit(code)
}

func loopGoroutines() (left string) {
	for range 200 {
		var all bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&all, 2)
		left = ""
		for g := range strings.SplitSeq(all.String(), "\n\n") {
			if strings.Contains(g, "asyncio.(") && !strings.Contains(g, "loopGoroutines") {
				left += g + "\n\n"
			}
		}
		if left == "" {
			return ""
		}
		time.Sleep(time.Millisecond) // the goroutines that end are not ours to wait for
	}
	return left
}

// A stopped clock is moved by hand.
type stopped struct{ time time.Time }

func newClock() *stopped { return &stopped{time.Unix(1_700_000_000, 0)} }

func (c *stopped) now() time.Time          { return c.time }
func (c *stopped) advance(d time.Duration) { c.time = c.time.Add(d) }

// A local client talks to an engine without a connection.
type local struct {
	t       *testing.T
	s       *session
	got     bytes.Buffer
	unread  bool // it does not read what it gets
	aborted bool
}

func (c *local) Enqueue(p []byte) { c.got.Write(p) }
func (c *local) Abort()           { c.aborted = true }
func (c *local) Unsent() int {
	if c.unread {
		return c.got.Len()
	}
	return 0
}

func connect(t *testing.T, e *engine) *local {
	c := &local{t: t}
	c.s = e.open(c)
	t.Cleanup(c.s.close)
	return c
}

// send executes a request and does with the reply what the server does.
func (c *local) send(args ...string) {
	words := make([][]byte, len(args))
	for i, a := range args {
		words[i] = []byte(a)
	}
	c.s.execute(words)
	c.flush()
	if w := c.s.waiting; w != nil {
		w.wake = func() {
			was := c.s.out.buf // of whoever wakes
			c.s.out.buf = nil
			c.s.finish(w, false)
			c.flush()
			c.s.out.buf = was
		}
	}
}

func (c *local) flush() {
	c.got.Write(c.s.out.buf)
	c.s.out.buf = c.s.out.buf[:0]
}

// receive is the next reply.
func (c *local) receive() string {
	c.t.Helper()
	r, err := readReply(&c.got)
	if err != nil {
		c.t.Fatalf("no reply: %v", err)
	}
	return r
}

// do is send and receive.
func (c *local) do(args ...string) string {
	c.t.Helper()
	c.send(args...)
	return c.receive()
}

// want fails the test if the reply to a line of words is another.
func (c *local) want(line, reply string) {
	c.t.Helper()
	if got := show(c.do(strings.Fields(line)...)); got != reply {
		c.t.Errorf("%s: %s, want %s", line, got, reply)
	}
}

// show makes a line of a reply.
func show(reply string) string {
	q := strconv.Quote(strings.ReplaceAll(strings.TrimSuffix(reply, "\r\n"), "\r\n", " "))
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

type reader interface {
	io.Reader
	ReadString(delim byte) (string, error)
}

var (
	_ reader = (*bytes.Buffer)(nil)
	_ reader = (*bufio.Reader)(nil)
)

// readReply reads a reply, with all that is in it.
func readReply(r reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return line, err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch line[0] {
	case '$':
		if n >= 0 {
			b := make([]byte, n+2)
			_, err = io.ReadFull(r, b)
			line += string(b)
		}
	case '*':
		for ; n > 0 && err == nil; n-- {
			var item string
			item, err = readReply(r)
			line += item
		}
	}
	return line, err
}
