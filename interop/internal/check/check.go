// Package check has what the tests of the recipes share.
package check

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Run runs the tests of a package, and fails if they leave goroutines behind that
// come from this repository.
func Run(m *testing.M) {
	code := m.Run()
	if left := left(); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

func left() (dump string) {
	for range 2000 {
		if dump = ours(); dump == "" {
			return ""
		}
		time.Sleep(time.Millisecond) // the goroutines that end are not ours to wait for
	}
	return dump
}

func ours() (dump string) {
	var all bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&all, 2)
	for g := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(g, "asyncio-go/asyncio") && !strings.Contains(g, "check.ours") {
			dump += g + "\n\n"
		}
	}
	return dump
}

// A Log keeps what is logged, as "LEVEL message key=value" lines.
type Log struct {
	mu    sync.Mutex
	lines []string
}

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

// Text is what was logged, a line each.
func (l *Log) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// Loop runs a loop on a goroutine of its own until the test ends, or until close
// is called. What it reports is in the log.
func Loop(t *testing.T) (loop *asyncio.Loop, log *Log, close func()) {
	log = &Log{}
	loop = asyncio.NewLoop(&asyncio.LoopOptions{Logger: slog.New(log), StallThreshold: -1})
	ended := make(chan error, 1)
	go func() { ended <- loop.RunForever() }()
	close = sync.OnceFunc(func() {
		loop.Stop()
		if err := <-ended; err != nil {
			t.Errorf("RunForever: %v", err)
		}
		if err := loop.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	t.Cleanup(close)
	return loop, log, close
}
