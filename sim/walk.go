package sim

import "github.com/asyncio-go/asyncio"

// walk is [Walk].
type walk struct {
	*dice
	est  *estimate
	left map[uint64]int // steps that are expected of each task
	seen int            // steps of the schedule that are subtracted
}

func (w *walk) begin(d *dice, est *estimate) {
	w.dice, w.est, w.seen = d, est, 0
	if w.left == nil {
		w.left = map[uint64]int{}
	}
	clear(w.left)
}

// pick takes a task with the probability of its share of what is left.
func (w *walk) pick(s *schedule, kind uint8, candidates []asyncio.Candidate) int {
	if kind != uint8(asyncio.ChooseReady) {
		return w.IntN(len(candidates))
	}
	for ; w.seen < len(s.steps); w.seen++ {
		w.left[s.steps[w.seen].task]--
	}
	all := 0
	for _, c := range candidates {
		all += w.weight(idOf(c))
	}
	at := w.IntN(all)
	for i, c := range candidates {
		if at -= w.weight(idOf(c)); at < 0 {
			return i
		}
	}
	return len(candidates) - 1
}

// weight is how many steps of a task are expected, at least the one it is ready for.
func (w *walk) weight(id uint64) int {
	known := w.est.steps[id]
	return max(known+w.left[id], 1)
}
