// Package check has what the tests of the recipes share.
package check

import (
	"log/slog"
	"os"
	"sync"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// Run runs the tests of a package, and fails if they leave goroutines behind that
// come from this repository.
func Run(m *testing.M) { os.Exit(asynciotest.Run(m)) }

// Loop runs a loop on a goroutine of its own until the test ends, or until close
// is called. What it reports is in the log.
func Loop(t *testing.T) (loop *asyncio.Loop, log *asynciotest.Log, close func()) {
	log = &asynciotest.Log{}
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
