package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/asyncio-go/asyncio/benchmarks/internal/report"
)

// A key names a series of measurements: a work, and who did it.
type key struct{ work, peer string }

// A sample is one line of benchmark output.
type sample struct {
	ns     float64
	allocs float64 // -1 if the line does not say
}

// results are all samples, each series in the order in which it was measured.
type results struct {
	notes  []string // what the output says of the machine and the peers
	series map[key][]sample
}

var (
	benchLine = regexp.MustCompile(`^Benchmark(\w+)(?:/peer=([\w-]+?))?(?:-\d+)?\s+\d+\s+([\d.]+) ns/op(.*)$`)
	allocs    = regexp.MustCompile(`([\d.]+) allocs/op`)
	noteLine  = regexp.MustCompile(`^(?:# |(?:goos|goarch|cpu): )`)
)

func read(r io.Reader) (results, error) {
	res := results{series: map[key][]sample{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if m := benchLine.FindStringSubmatch(line); m != nil {
			k, s := key{m[1], m[2]}, sample{allocs: -1}
			s.ns, _ = strconv.ParseFloat(m[3], 64)
			if a := allocs.FindStringSubmatch(m[4]); a != nil {
				s.allocs, _ = strconv.ParseFloat(a[1], 64)
			}
			res.series[k] = append(res.series[k], s)
		} else if note := strings.TrimPrefix(line, "# "); noteLine.MatchString(line) && !slices.Contains(res.notes, note) {
			res.notes = append(res.notes, note)
		}
	}
	if err := lines.Err(); err != nil {
		return res, err
	}
	if len(res.series[unit]) == 0 {
		return res, errors.New("the input has no result of BenchmarkSwitch, the unit of the ratios; run all benchmarks")
	}
	return res, nil
}

// rounds is how often the least measured series was measured.
func (r results) rounds() int {
	n := len(r.series[unit])
	for _, s := range r.series {
		n = min(n, len(s))
	}
	return n
}

func (r results) ns(k key) float64 {
	return report.Median(r.each(k, func(s sample) float64 { return s.ns }))
}

func (r results) allocs(k key) float64 {
	return report.Median(r.each(k, func(s sample) float64 { return s.allocs }))
}

// spread is half the distance of the fastest and the slowest run, as a part of
// the median.
func (r results) spread(k key) float64 {
	ns := r.each(k, func(s sample) float64 { return s.ns })
	return (slices.Max(ns) - slices.Min(ns)) / 2 / report.Median(ns)
}

// ratio is how much longer a takes than b: the median of the ratios of each
// run, because what slows a run down slows down both.
func (r results) ratio(a, b key) float64 {
	as, bs := r.series[a], r.series[b]
	ratios := make([]float64, min(len(as), len(bs)))
	for i := range ratios {
		ratios[i] = as[i].ns / bs[i].ns
	}
	return report.Median(ratios)
}

func (r results) has(k key) bool { return len(r.series[k]) > 0 }

func (r results) each(k key, value func(sample) float64) []float64 {
	all := make([]float64, len(r.series[k]))
	for i, s := range r.series[k] {
		all[i] = value(s)
	}
	return all
}

func nanoseconds(ns float64) string {
	if ns < 100 {
		return fmt.Sprintf("%.1f", ns)
	}
	return fmt.Sprintf("%.0f", ns)
}

func count(n float64) string {
	if n < 0 {
		return ""
	}
	return fmt.Sprintf("%g", n)
}
