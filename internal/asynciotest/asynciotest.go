// Package asynciotest has what the tests of this repository's packages share: what a
// loop has logged, and which goroutines are left.
package asynciotest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Log is a [slog.Handler] that keeps everything, as "LEVEL message key=value" lines.
// Its zero value is ready, and it is safe to use from any goroutine.
type Log struct {
	mu    sync.Mutex
	lines []string
}

var _ slog.Handler = (*Log)(nil)

// Enabled implements [slog.Handler].
func (l *Log) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements [slog.Handler].
func (l *Log) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements [slog.Handler].
func (l *Log) WithGroup(string) slog.Handler { return l }

// Handle implements [slog.Handler].
func (l *Log) Handle(_ context.Context, r slog.Record) error {
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	return nil
}

// Lines is what was logged.
func (l *Log) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// Text is Lines as one text.
func (l *Log) Text() string { return strings.Join(l.Lines(), "\n") }

// Count is the number of lines that contain all the parts.
func (l *Log) Count(parts ...string) int {
	n := 0
lines:
	for _, line := range l.Lines() {
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue lines
			}
		}
		n++
	}
	return n
}

// Run runs the tests of a package and returns their status, which is bad, too, if they
// leave goroutines behind.
func Run(m *testing.M) (code int) {
	code = m.Run()
	if left := Goroutines(0); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left behind by the suite:\n%s\n", left)
		code = 1
	}
	return code
}

// Goroutines is a dump of the goroutines that run code of this repository, tests apart,
// once they have had time to end: empty if no more than allowed are left.
func Goroutines(allowed int) string {
	var left string
	for range 2000 {
		if left = Dump(); strings.Count(left, "\n\n") <= allowed {
			return ""
		}
		time.Sleep(time.Millisecond) // the goroutines that end are not ours to wait for
	}
	return left
}

var ours = regexp.MustCompile(`github\.com/asyncio-go/asyncio[a-z0-9/]*\.`)

// Dump is Goroutines as they are now, each followed by an empty line.
func Dump() (left string) {
	var all bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&all, 2)
	for g := range strings.SplitSeq(all.String(), "\n\n") {
		if ours.MatchString(g) && !strings.Contains(g, "/asynciotest.") {
			left += strings.TrimSpace(g) + "\n\n"
		}
	}
	return left
}
