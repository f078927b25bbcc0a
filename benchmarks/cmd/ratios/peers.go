package main

import (
	"fmt"
	"strings"

	"github.com/asyncio-go/asyncio/benchmarks/internal/report"
)

// others are the peers in other languages.
var others = []string{"asyncio", "uvloop", "tokio", "tokio-wake"}

// A race is a work that the peers do too, and how many times longer each must
// take at least.
type race struct {
	name, work string
	bars       map[string]float64
}

var (
	pythons = map[string]float64{"asyncio": 10, "uvloop": 5}
	all     = map[string]float64{"asyncio": 10, "uvloop": 5, "tokio": 1}
)

var races = []race{
	{"yield", "Yield", all},
	{"yield, 100 tasks in turn", "Yield100", all},
	{"spawn + await", "SpawnAwait", all},
	{"1,000 spawned, then awaited; a task", "Spawn1000", nil},
	{"gather of 1,000; a task", "Gather1000", pythons},
	{"group of 1,000; a task", "Group1000", pythons},
	{"100,000 sleepers cancelled, awaited; a task", "Cancel100k", pythons},
	{"CallSoon + run", "CallSoon", pythons},
	{"timer start + cancel, 10^5 pending", "Timer", pythons},
	{"timeout scope around a yield", "Timeout", pythons},
	{"Blocking round trip", "Blocking", pythons},
	{"lock nobody else wants", "Lock", pythons},
	{"lock taken from another task", "LockHandoff", nil},
	{"semaphore permit that is free", "Semaphore", pythons},
	{"event that wakes 100; a task", "Event100", nil},
	{"queue hand-off, room for 1", "QueueHandoff", pythons},
	{"queue hand-off, room for 128", "QueueBuffered", nil},
	{"round trip through two queues", "QueueRoundTrip", nil},
	{"generator item", "Generator", nil},
}

func (r results) hasPeers() bool { return len(r.others()) > 0 }

// others are those of the peers that were measured.
func (r results) others() []string {
	var measured []string
	for _, peer := range others {
		if r.has(key{"Yield", peer}) {
			measured = append(measured, peer)
		}
	}
	return measured
}

func peers(r results) report.Table {
	head := []string{"work", "ours ns/op"}
	for _, peer := range r.others() {
		head = append(head, peer, "×")
	}
	t := report.Table{append(head, "")}
	for _, race := range races {
		if r.has(key{race.work, "ours"}) {
			t = append(t, race.row(r))
		}
	}
	return t
}

func (c race) row(r results) []string {
	ours := key{c.work, "ours"}
	row := []string{c.name, nanoseconds(r.ns(ours))}
	judged := false
	var missed []string
	for _, peer := range r.others() {
		k := key{c.work, peer}
		if !r.has(k) {
			row = append(row, "", "")
			continue
		}
		factor := r.ratio(k, ours)
		row = append(row, nanoseconds(r.ns(k)), fmt.Sprintf("%.1f", factor))
		if bar, ok := c.bars[peer]; ok {
			judged = true
			if factor < bar {
				missed = append(missed, fmt.Sprintf("MISSED: %s %.2f < %.0f", peer, factor, bar))
			}
		}
	}
	verdict := strings.Join(missed, ", ")
	if judged && verdict == "" {
		verdict = "met"
	}
	return append(row, verdict)
}
