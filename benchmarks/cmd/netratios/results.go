package main

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/asyncio-go/asyncio/benchmarks/internal/report"
)

// A work is what is measured, as Name/option=value/…; a peer is who does it.
type key struct{ work, peer string }

// A sample is one line: its numbers by their units.
type sample map[string]float64

// results are all samples, each series in the order in which it was measured.
type results struct {
	notes  []string
	keys   []key // in the order of the first sample of each
	series map[key][]sample
}

var resultLine = regexp.MustCompile(`^Benchmark(\S+)/peer=(\S+)\t\d+\t(.*)$`)

func read(r io.Reader) (results, error) {
	res := results{series: map[key][]sample{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if m := resultLine.FindStringSubmatch(line); m != nil {
			res.add(key{m[1], m[2]}, parseSample(m[3]))
		} else if note, ok := strings.CutPrefix(line, "# "); ok && !slices.Contains(res.notes, note) {
			res.notes = append(res.notes, note)
		}
	}
	if err := lines.Err(); err != nil {
		return res, err
	}
	if len(res.keys) == 0 {
		return res, errors.New("the input has no results; pipe the output of net/rounds.sh in")
	}
	return res, nil
}

// parseSample reads "12 a-unit<tab>3 another".
func parseSample(text string) sample {
	s := sample{}
	for field := range strings.SplitSeq(text, "\t") {
		number, unit, _ := strings.Cut(field, " ")
		if v, err := strconv.ParseFloat(number, 64); err == nil {
			s[unit] = v
		}
	}
	return s
}

func (r *results) add(k key, s sample) {
	if !r.has(k) {
		r.keys = append(r.keys, k)
	}
	r.series[k] = append(r.series[k], s)
}

func (r results) has(k key) bool { return len(r.series[k]) > 0 }

// rounds is how often the least measured series was measured.
func (r results) rounds() int {
	n := len(r.series[r.keys[0]])
	for _, k := range r.keys {
		n = min(n, len(r.series[k]))
	}
	return n
}

// works are those that have a name, each once.
func (r results) works(name string) (all []string) {
	for _, k := range r.keys {
		if first, _, _ := strings.Cut(k.work, "/"); first == name && !slices.Contains(all, k.work) {
			all = append(all, k.work)
		}
	}
	return all
}

// peers are those that did a work.
func (r results) peers(work string) (all []string) {
	for _, k := range r.keys {
		if k.work == work {
			all = append(all, k.peer)
		}
	}
	return all
}

func (r results) median(k key, unit string) float64 {
	values := make([]float64, len(r.series[k]))
	for i, s := range r.series[k] {
		values[i] = s[unit]
	}
	return report.Median(values)
}

// worst is the greatest of all rounds.
func (r results) worst(k key, unit string) float64 {
	var worst float64
	for _, s := range r.series[k] {
		worst = max(worst, s[unit])
	}
	return worst
}

// ratio is the median of the ratios of each round, because what slows a round
// down slows down both.
func (r results) ratio(a, b key, unit string) float64 {
	as, bs := r.series[a], r.series[b]
	ratios := make([]float64, min(len(as), len(bs)))
	for i := range ratios {
		ratios[i] = as[i][unit] / bs[i][unit]
	}
	return report.Median(ratios)
}

// option returns the value of an option of a work.
func option(work, name string) string {
	for part := range strings.SplitSeq(work, "/") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			return value
		}
	}
	return ""
}
