package asyncio_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// TestMain fails the suite if it leaves a goroutine behind. In a process that a
// test has started it is one of that test's programs instead.
func TestMain(m *testing.M) {
	if program := programs[os.Getenv(mainEnv)]; program != nil {
		asyncio.Main(program)
		return
	}
	code := m.Run()
	if code == 0 {
		if left := asynciotest.Goroutines(leakedByTests); left != "" {
			fmt.Fprintf(os.Stderr, "goroutines left behind by the suite:\n%s\n", left)
			code = 1
		}
	}
	os.Exit(code)
}

// noLeaks fails the test if it ends with goroutines of ours.
func noLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if left := asynciotest.Goroutines(leakedByTests); left != "" {
			t.Errorf("goroutines left behind:\n%s", left)
		}
	})
}

// leakedByTests counts the coroutines of loops that tests drop without Close.
var leakedByTests int

// A bench is a runner on a manual clock whose log is kept.
type bench struct {
	asyncio.Runner
	log   *asynciotest.Log
	clock *asyncio.ManualClock
}

func newBench() *bench {
	b := &bench{log: &asynciotest.Log{}, clock: &asyncio.ManualClock{}}
	b.Options.Logger = slog.New(b.log)
	b.Options.Clock = b.clock
	// How long a step takes in real time depends on the machine; the tests of
	// these thresholds set their own.
	b.Options.SlowThreshold, b.Options.StallThreshold = -1, -1
	return b
}

// run runs main on a manual clock and fails the test if main fails, if anything
// is logged or if a goroutine is left.
func run(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	noLeaks(t)
	b := newBench()
	if err := b.Run(t.Context(), main); err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := b.log.Text(); got != "" {
		t.Errorf("logged:\n%s", got)
	}
}

// A story is what happened, in order.
type story struct{ events []string }

func (s *story) add(format string, args ...any) {
	s.events = append(s.events, fmt.Sprintf(format, args...))
}

func (s *story) want(t *testing.T, events ...string) {
	t.Helper()
	if got, want := strings.Join(s.events, "; "), strings.Join(events, "; "); got != want {
		t.Errorf("happened: %s\nwant:     %s", got, want)
	}
}

func wantErr(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text {
		t.Errorf("error is %v\nwant     %v", err, text)
	}
}

// panicOf calls f and returns what it panics with, as text.
func panicOf(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return "no panic"
}

// captureStderr returns what f writes to os.Stderr.
func captureStderr(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	old := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = old }()
	f()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
