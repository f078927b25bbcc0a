package main

import (
	"fmt"

	"github.com/asyncio-go/asyncio/benchmarks/internal/report"
)

// A target says what a work must take at most, or reach at least.
type target struct {
	work  string // the name of the works that it is for
	what  string
	unit  string
	ours  string  // who must meet it
	than  string  // who it is compared with; empty: the worst round counts, in the unit itself
	bar   float64 // of the ratio, or of the number itself
	least bool    // the bar is what must be reached, not a limit
	only  func(work string) bool
}

var allTargets = []target{
	{work: "Echo", what: "user CPU a request, ns", unit: "user-ns/op", ours: "ours", than: "net", bar: 1},
	{work: "Echo", what: "requests a second", unit: "op/s", ours: "ours", than: "net", bar: 1, least: true, only: isCrowded},
	{work: "Echo", what: "requests a second", unit: "op/s", ours: "ours", than: "uvloop", bar: 1.3, least: true, only: isCrowded},
	{work: "Idle", what: "memory of a connection, B", unit: "B/conn", ours: "ours", bar: 4096},
	{work: "Loops", what: "CPU a request of two loops, ns", unit: "cpu-ns/op", ours: "loops-2", than: "loops-1", bar: 1.15},
	{work: "Redis", what: "CPU a request, ns", unit: "cpu-ns/op", ours: "kv", than: "redis", bar: 1, only: isSingle},
	{work: "Redis", what: "CPU a request, ns", unit: "cpu-ns/op", ours: "kv", than: "redis", bar: 1.1, only: isPipelined},
	{work: "Churn", what: "open files left", unit: "files-left", ours: "ours"},
	{work: "Churn", what: "goroutines left", unit: "goroutines-left", ours: "ours"},
	{work: "Churn", what: "memory left a connection, B", unit: "B-left/op", ours: "ours", bar: 1},
}

// isCrowded tells whether a server has more than one connection. One alone keeps
// nobody busy, and its requests a second are the system's latency.
func isCrowded(work string) bool { return option(work, "conns") != "1" }

func isSingle(work string) bool    { return option(work, "pipeline") == "1" }
func isPipelined(work string) bool { return !isSingle(work) }

func targets(r results) report.Table {
	t := report.Table{{"work", "measured", "ours", "beside it", "ratio", "bar", ""}}
	for _, target := range allTargets {
		for _, work := range r.works(target.work) {
			if target.applies(r, work) {
				t = append(t, target.row(r, work))
			}
		}
	}
	return t
}

func (t target) applies(r results, work string) bool {
	return (t.only == nil || t.only(work)) && r.has(key{work, t.ours}) &&
		(t.than == "" || r.has(key{work, t.than}))
}

func (t target) row(r results, work string) []string {
	ours := key{work, t.ours}
	row := []string{title(work), t.what}
	if t.than == "" {
		value := r.worst(ours, t.unit)
		return append(row, number(value), "", "", "≤ "+number(t.bar), t.verdict(value))
	}
	than := key{work, t.than}
	ratio := r.ratio(ours, than, t.unit)
	verdict := t.verdict(ratio)
	if t.unit == "op/s" && min(r.median(ours, "cores"), r.median(than, "cores")) < saturated {
		verdict = "unclear"
	}
	return append(row, number(r.median(ours, t.unit)), t.than+" "+number(r.median(than, t.unit)),
		fmt.Sprintf("%.2f", ratio), t.sign()+fmt.Sprintf(" %.2f", t.bar), verdict)
}

// saturated is the part of its core that a server must use for its requests a second
// to say something of the server, and not of the load or of what else the machine did.
const saturated = 0.9

func (t target) sign() string {
	if t.least {
		return "≥"
	}
	return "≤"
}

func (t target) verdict(value float64) string {
	if t.least && value < t.bar || !t.least && value > t.bar {
		return "MISSED"
	}
	return "met"
}
