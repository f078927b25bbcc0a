package replica_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// TestMain fails the suite if it leaves a goroutine of the library behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := loopGoroutines(); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left behind by the suite:\n%s\n", left)
		code = 1
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
