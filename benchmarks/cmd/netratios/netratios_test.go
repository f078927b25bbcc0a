package main

import (
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/benchmarks/internal/reporttest"
)

func TestWrite_Golden(t *testing.T) { reporttest.Golden(t, write, "ours", "peers") }

func TestRead_WithoutResults(t *testing.T) {
	_, err := read(strings.NewReader("# ours: not measured: it does not compile\n"))
	if err == nil || !strings.Contains(err.Error(), "net/rounds.sh") {
		t.Errorf("got %v, want an error that names net/rounds.sh", err)
	}
}

func TestRatio_PairsTheRounds(t *testing.T) {
	a, b := key{"Echo", "a"}, key{"Echo", "b"}
	r := results{series: map[key][]sample{
		a: {{"op/s": 20}, {"op/s": 200}, {"op/s": 24}},
		b: {{"op/s": 10}, {"op/s": 100}, {"op/s": 11}},
	}}
	if got := r.ratio(a, b, "op/s"); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
}

func TestVerdict(t *testing.T) {
	limit, goal := target{bar: 1.1}, target{bar: 1.3, least: true}
	for _, c := range []struct {
		target target
		value  float64
		want   string
	}{
		{limit, 1.1, "met"},
		{limit, 1.11, "MISSED"},
		{goal, 1.3, "met"},
		{goal, 1.29, "MISSED"},
	} {
		if got := c.target.verdict(c.value); got != c.want {
			t.Errorf("%+v, %v: got %s, want %s", c.target, c.value, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 172069.4: "172069", 72.31: "72.3", 7.236: "7.24", 0.1236: "0.124", -8.19: "-8.19"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %s, want %s", v, got, want)
		}
	}
}
