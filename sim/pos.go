package sim

import "github.com/asyncio-go/asyncio"

// pos is [POS].
type pos struct {
	*dice
	priority map[uint64]uint64 // of the pending step of each task
}

func (p *pos) begin(d *dice) {
	p.dice = d
	if p.priority == nil {
		p.priority = map[uint64]uint64{}
	}
	clear(p.priority)
}

func (p *pos) pick(_ *schedule, kind uint8, candidates []asyncio.Candidate) int {
	if kind != uint8(asyncio.ChooseReady) {
		return p.IntN(len(candidates))
	}
	best, most := 0, uint64(0)
	for i, c := range candidates {
		id := idOf(c)
		if p.priority[id] == 0 {
			p.priority[id] = p.Uint64() | 1
		}
		if p.priority[id] > most {
			best, most = i, p.priority[id]
		}
	}
	picked := candidates[best]
	for _, c := range candidates {
		if picked.On != nil && c.On == picked.On {
			delete(p.priority, idOf(c))
		}
	}
	delete(p.priority, idOf(picked))
	return best
}
