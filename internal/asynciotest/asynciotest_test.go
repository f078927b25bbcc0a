package asynciotest_test

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

func TestMain(m *testing.M) { os.Exit(asynciotest.Run(m)) }

func TestGoroutines_SeesALoopAndNotTheTests(t *testing.T) {
	if left := asynciotest.Dump(); left != "" {
		t.Errorf("before there was a loop:\n%s", left)
	}
	l := asyncio.NewLoop(nil)
	ended, runs := make(chan error, 1), make(chan struct{})
	l.CallSoon(func() { close(runs) })
	go func() { ended <- l.RunForever() }()
	<-runs
	if left := asynciotest.Dump(); !strings.Contains(left, "RunForever") {
		t.Errorf("while a loop runs:\n%s", left)
	}
	l.Stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if left := asynciotest.Goroutines(0); left != "" {
		t.Errorf("after it:\n%s", left)
	}
}

func TestLog_KeepsLinesAndCountsThem(t *testing.T) {
	var l asynciotest.Log
	logger := slog.New(&l)
	logger.Info("one", "key", 1)
	logger.Warn("two", "key", 1)
	if got, want := l.Text(), "INFO one key=1\nWARN two key=1"; got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
	if a, b := l.Count("key=1"), l.Count("key=1", "two"); a != 2 || b != 1 {
		t.Errorf("counted %d and %d, want 2 and 1", a, b)
	}
}
