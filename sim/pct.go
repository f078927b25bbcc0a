package sim

import "github.com/asyncio-go/asyncio"

// pct is [PCT], of a depth that each run draws.
type pct struct {
	*dice
	priority map[uint64]int // higher runs first; those that were lowered are below 0
	lower    []int          // the picks at which a task is lowered, one less than the depth
	lowered  int
	picks    int
}

// The least and the most depth of a run.
const (
	minDepth = 3
	maxDepth = 5
)

// begin draws the picks at which a task is lowered. How many picks there will be nobody
// knows: half of the runs take those of the first run for it, as they are mostly of the
// same number, and half all of its steps, of which the picks can be as many if others run
// ahead.
func (p *pct) begin(d *dice, est *estimate) {
	p.dice, p.lowered, p.picks = d, 0, 0
	if p.priority == nil {
		p.priority = map[uint64]int{}
	}
	clear(p.priority)
	picks := est.picks
	if d.IntN(2) == 0 {
		picks = est.all
	}
	p.lower = p.lower[:0]
	for range minDepth - 1 + d.IntN(maxDepth-minDepth+1) {
		p.lower = append(p.lower, d.IntN(max(picks, 1)))
	}
}

func (p *pct) pick(_ *schedule, kind uint8, candidates []asyncio.Candidate) int {
	if kind != uint8(asyncio.ChooseReady) {
		return p.IntN(len(candidates))
	}
	for _, c := range candidates {
		if id := idOf(c); p.priority[id] == 0 {
			p.priority[id] = 1 + p.IntN(1<<30)
		}
	}
	best := p.highest(candidates)
	for _, at := range p.lower {
		if at == p.picks {
			p.lowered++
			p.priority[idOf(candidates[best])] = -p.lowered
			best = p.highest(candidates)
		}
	}
	p.picks++
	return best
}

func (p *pct) highest(candidates []asyncio.Candidate) (best int) {
	for i := range candidates {
		if p.priority[idOf(candidates[i])] > p.priority[idOf(candidates[best])] {
			best = i
		}
	}
	return best
}
