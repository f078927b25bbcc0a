package main

import (
	"slices"
	"time"

	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

// strategies have a column each with -each.
var strategies = []sim.Strategy{sim.FIFO, sim.Walk, sim.PCT, sim.POS, sim.Random}

// A row is what was measured for a bug.
type row struct {
	bug   bugs.Bug
	found finds   // by the portfolio
	each  []finds // by each strategy alone
	fixed *sim.Failure

	survived int // schedules of the repaired version
	took     time.Duration
}

func (r row) failed() bool { return r.found.missed > 0 || r.fixed != nil }

// finds are the outcomes of campaigns.
type finds struct {
	schedules  []int // of each campaign, in order of size; all of them where it was missed
	missed     int
	strategy   sim.Strategy // that found it first
	deviations int          // of the longest shrunk schedule
}

func (f *finds) median() int { return f.schedules[len(f.schedules)/2] }

func (p plan) measure(all []bugs.Bug) (rows []row) {
	for _, b := range all {
		r := row{bug: b, found: p.campaigns(b, p.starts)}
		if p.each {
			for _, s := range strategies {
				starts := p.starts
				if s == sim.FIFO {
					starts = 1
				}
				r.each = append(r.each, p.campaigns(b, starts, s))
			}
		}
		if p.fixed > 0 {
			report := sim.Explore(b.Fixed, sim.Options{Seeds: p.fixed, Jobs: p.jobs})
			r.fixed, r.survived, r.took = report.Failure, report.Schedules, report.Elapsed
		}
		rows = append(rows, r)
	}
	return rows
}

// apart is how far the first seeds of two campaigns are apart.
const apart = 1_000_003

// campaigns look for a bug from so many first seeds. Without strategies the first one
// begins with FIFO order, as a campaign does by default.
func (p plan) campaigns(b bugs.Bug, starts int, only ...sim.Strategy) (f finds) {
	for i := range starts {
		o := sim.Options{Seeds: p.seeds, Seed: uint64(i) * apart, Jobs: p.jobs, Strategies: only}
		if len(only) > 0 {
			o.Seed++
		}
		if len(only) == 1 && only[0] == sim.FIFO {
			o.Seeds, o.Seed = 1, 0
		}
		failure := sim.Explore(b.Buggy, o).Failure
		if !bugs.Found(failure) {
			f.missed++
			f.schedules = append(f.schedules, o.Seeds)
			continue
		}
		if f.strategy == "" {
			f.strategy = failure.Strategy
		}
		f.schedules = append(f.schedules, failure.Schedules)
		f.deviations = max(f.deviations, len(failure.Deviations))
	}
	slices.Sort(f.schedules)
	return f
}
