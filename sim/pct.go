package sim

import "github.com/asyncio-go/asyncio"

// pct is [PCT] of depth 3.
type pct struct {
	*dice
	priority map[uint64]int // higher runs first; those that were lowered are below 0
	lower    [pctDepth - 1]int
	lowered  int
	picks    int
}

const pctDepth = 3

func (p *pct) begin(d *dice, est *estimate) {
	p.dice, p.lowered, p.picks = d, 0, 0
	if p.priority == nil {
		p.priority = map[uint64]int{}
	}
	clear(p.priority)
	for i := range p.lower {
		p.lower[i] = d.IntN(max(est.all, 1))
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
