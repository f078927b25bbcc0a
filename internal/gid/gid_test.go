package gid_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/internal/gid"
)

func TestCurrent_TellsGoroutinesApart(t *testing.T) {
	mine := gid.Current()
	if mine == 0 {
		t.Fatal("Current() = 0")
	}
	const n = 100
	ids := make(chan uintptr)
	hold := make(chan struct{})
	for range n {
		go func() { ids <- gid.Current(); <-hold }()
	}
	seen := map[uintptr]bool{mine: true}
	for range n {
		id := <-ids
		if seen[id] {
			t.Errorf("two living goroutines share the identity %#x", id)
		}
		seen[id] = true
	}
	close(hold)
}

//go:noinline
func growStack(n int) uintptr {
	var pad [1 << 10]byte
	pad[n] = 1
	if n == 0 {
		return gid.Current()
	}
	return growStack(n-1) + uintptr(pad[n]-1)
}

func TestCurrent_StaysWhenTheStackMoves(t *testing.T) {
	before := gid.Current()
	if after := growStack(200); after != before {
		t.Errorf("identity changed from %#x to %#x", before, after)
	}
}

//go:noinline
func whoCalls() uintptr { return gid.CallerPC() }

func TestCallerPC_NamesTheCallersLine(t *testing.T) {
	pc := whoCalls()
	fn := runtime.FuncForPC(pc - 1)
	if fn == nil || !strings.HasSuffix(fn.Name(), "TestCallerPC_NamesTheCallersLine") {
		t.Fatalf("CallerPC is in %v, want this test", fn)
	}
	file, line := fn.FileLine(pc - 1)
	if !strings.HasSuffix(file, "gid_test.go") || line == 0 {
		t.Errorf("CallerPC is at %s:%d, want a line of gid_test.go", file, line)
	}
}

func BenchmarkCurrent(b *testing.B) {
	for b.Loop() {
		gid.Current()
	}
}

func BenchmarkCallerPC(b *testing.B) {
	for b.Loop() {
		whoCalls()
	}
}
