package main

import (
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/benchmarks/internal/reporttest"
)

func TestWrite_Golden(t *testing.T) { reporttest.Golden(t, write, "ours", "peers") }

func TestRead_WithoutUnit(t *testing.T) {
	_, err := read(strings.NewReader("BenchmarkYield/peer=ours-2 100 50 ns/op\n"))
	if err == nil || !strings.Contains(err.Error(), "BenchmarkSwitch") {
		t.Errorf("got %v, want an error that names BenchmarkSwitch", err)
	}
}

func TestRatio_PairsTheRuns(t *testing.T) {
	a, b := key{"A", ""}, key{"B", ""}
	r := results{series: map[key][]sample{
		a: {{ns: 20}, {ns: 200}, {ns: 24}},
		b: {{ns: 10}, {ns: 100}, {ns: 11}},
	}}
	if got := r.ratio(a, b); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
}
