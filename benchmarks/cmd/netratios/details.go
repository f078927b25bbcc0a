package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/asyncio-go/asyncio/benchmarks/internal/report"
)

// A detail is a table of all that was measured of some works.
type detail struct {
	title, work string
	columns     []column
}

// A column shows a number, and how it compares with that of a base.
type column struct {
	head, unit string
	scale      float64
	base       string // a peer; empty: the number alone
}

var details = []detail{
	{"Echo", "Echo", echoColumns("net")},
	{"One loop and two on both cores", "Loops", echoColumns("loops-1")},
	{"Idle connections", "Idle", []column{{"B a connection", "B/conn", 1, "net"}}},
	{"Connections that come and go", "Churn", []column{
		{"client's CPU, µs", "cpu-ns/op", 1e-3, "net"}, {"connections/s", "op/s", 1, "net"}, {"files left", "files-left", 1, ""},
		{"goroutines left", "goroutines-left", 1, ""}, {"B left a connection", "B-left/op", 1, ""},
	}},
	{"redis-benchmark", "Redis", []column{
		{"CPU, µs", "cpu-ns/op", 1e-3, "redis"}, {"user CPU, µs", "user-ns/op", 1e-3, "redis"},
		{"requests/s", "op/s", 1, "redis"}, {"cores", "cores", 1, ""},
	}},
}

func echoColumns(base string) []column {
	return []column{
		{"user CPU, µs", "user-ns/op", 1e-3, base}, {"CPU, µs", "cpu-ns/op", 1e-3, base}, {"requests/s", "op/s", 1, base},
		{"p50, µs", "p50-ns", 1e-3, ""}, {"p99, µs", "p99-ns", 1e-3, ""}, {"B a connection", "B/conn", 1, ""},
		{"cores", "cores", 1, ""}, {"load's", "load-cores", 1, ""},
	}
}

func (d detail) table(r results) report.Table {
	head := []string{"work", "peer"}
	for _, c := range d.columns {
		head = append(head, c.head)
		if c.base != "" {
			head = append(head, "×")
		}
	}
	t := report.Table{head}
	for _, work := range r.works(d.work) {
		for _, peer := range r.peers(work) {
			row := []string{title(work), peer}
			for _, c := range d.columns {
				row = append(row, c.cells(r, key{work, peer})...)
			}
			t = append(t, row)
		}
	}
	return t
}

func (c column) cells(r results, k key) []string {
	cells := []string{""}
	if _, measured := r.series[k][0][c.unit]; measured {
		cells[0] = number(c.scale * r.median(k, c.unit))
	}
	if c.base == "" {
		return cells
	}
	base := key{k.work, c.base}
	if !r.has(base) {
		return append(cells, "")
	}
	return append(cells, fmt.Sprintf("%.2f", r.ratio(k, base, c.unit)))
}

// title says Echo/conns=100/size=64 in words.
func title(work string) string {
	name, rest, _ := strings.Cut(work, "/")
	words := []string{strings.ToLower(name)}
	for part := range strings.SplitSeq(rest, "/") {
		switch option, value, _ := strings.Cut(part, "="); option {
		case "":
		case "conns":
			words = append(words, "conns "+value)
		case "size":
			words = append(words, value+" B")
		case "pipeline":
			words = append(words, "-P "+value)
		default:
			words = append(words, value)
		}
	}
	return strings.Join(words, ", ")
}

// number has three digits that matter, or all before the point.
func number(v float64) string {
	for decimals, limit := range []float64{100, 10, 1} {
		if v >= limit || -v >= limit {
			return strconv.FormatFloat(v, 'f', decimals, 64)
		}
	}
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}
