package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asyncio-go/asyncio/benchmarks/internal/report"
)

// unit is S: one resume and one yield of a bare iter.Pull.
var unit = key{"Switch", ""}

// A target is a row of the design's table of targets.
type target struct {
	name string
	key  key
	bar  float64 // the most it may take, in units of of; 0 if there is no target
	of   key     // zero: nanoseconds
}

var allTargets = []target{
	{name: "switch of iter.Pull (S)", key: unit},
	{"yield", key{"Yield", "ours"}, 1.5, unit},
	{name: "yield, 100 tasks in turn", key: key{"Yield100", "ours"}},
	{"spawn + await", key{"SpawnAwait", "ours"}, 3.5, unit},
	{"1,000 spawned, then awaited; a task", key{"Spawn1000", "ours"}, 2.5, unit},
	{"gather of 1,000; a task", key{"Gather1000", "ours"}, 2.5, unit},
	{"group of 1,000; a task", key{"Group1000", "ours"}, 2.7, unit},
	{"100,000 sleepers cancelled, awaited; a task", key{"Cancel100k", "ours"}, 1000, key{}},
	{"CallSoon + run", key{"CallSoon", "ours"}, 0.8, unit},
	{"timer start + cancel, 10^5 pending", key{"Timer", "ours"}, 1.0, unit},
	{"timeout scope around a yield", key{"Timeout", "ours"}, 2.8, unit},
	{"generator item", key{"Generator", "ours"}, 2.6, unit},
	{"lock nobody else wants", key{"Lock", "ours"}, 10, key{}},
	{name: "lock taken from another task", key: key{"LockHandoff", "ours"}},
	{name: "semaphore permit that is free", key: key{"Semaphore", "ours"}},
	{name: "event that wakes 100; a task", key: key{"Event100", "ours"}},
	{"queue hand-off, room for 1", key{"QueueHandoff", "ours"}, 2.8, unit},
	{name: "queue hand-off, room for 128", key: key{"QueueBuffered", "ours"}},
	{name: "round trip through two queues", key: key{"QueueRoundTrip", "ours"}},
	{"Blocking round trip", key{"Blocking", "ours"}, 2000, key{}},
	{name: "Recv round trip", key: key{"Recv", "ours"}},
	{"yield in debug mode", key{"Yield", "debug"}, 3, key{"Yield", "ours"}},
	{"spawn + await in debug mode", key{"SpawnAwait", "debug"}, 3, key{"SpawnAwait", "ours"}},
}

// mustNotAllocate are the works that the design wants without allocation.
var mustNotAllocate = []key{{"Yield", "ours"}, {"Lock", "ours"}, {"QueueHandoff", "ours"}}

// beside are the ways of Go to do the same work.
var beside = []string{"goroutines", "gosched", "errgroup", "mutex", "semaphore", "unbuffered", "buffered"}

func targets(r results) report.Table {
	t := report.Table{{"work", "ns/op", "±", "ratio", "bar", "", "allocs/op", "beside it, ns/op"}}
	for _, target := range allTargets {
		if r.has(target.key) {
			t = append(t, target.row(r))
		}
	}
	return t
}

func (t target) row(r results) []string {
	ns := r.ns(t.key)
	value, ratio, bar := ns, fmt.Sprintf("%.2f S", r.ratio(t.key, unit)), ""
	switch t.of {
	case key{}:
		bar = fmt.Sprintf("≤ %.0f ns", t.bar)
	case unit:
		value = r.ratio(t.key, unit)
		bar = fmt.Sprintf("≤ %.1f S", t.bar)
	default:
		value = r.ratio(t.key, t.of)
		ratio = fmt.Sprintf("%.2f ×", value)
		bar = fmt.Sprintf("≤ %.1f ×", t.bar)
	}
	verdict := "met"
	switch {
	case t.bar == 0:
		bar, verdict = "", ""
	case value > t.bar:
		verdict = "MISSED"
	case slices.Contains(mustNotAllocate, t.key) && r.allocs(t.key) > 0:
		verdict = "MISSED: allocates"
	}
	return []string{t.name, nanoseconds(ns), fmt.Sprintf("%.0f%%", 100*r.spread(t.key)),
		ratio, bar, verdict, count(r.allocs(t.key)), t.beside(r)}
}

func (t target) beside(r results) string {
	var all []string
	for _, peer := range beside {
		if k := (key{t.key.work, peer}); t.key.peer == "ours" && r.has(k) {
			all = append(all, peer+" "+nanoseconds(r.ns(k)))
		}
	}
	return strings.Join(all, ", ")
}
