package sim

import (
	"slices"

	"github.com/asyncio-go/asyncio"
)

// A stretch is decisions in a row that picked the same task.
type stretch struct {
	task uint64
	n    int
	odd  bool // FIFO order would have picked another
}

// gather has tasks that run ahead do so in one go: a schedule in which two tasks take
// turns in running ahead of a third is told in many words, one in which the first of them
// runs ahead and then the other in few.
func (x *shrinker) gather() {
	for again := true; again; {
		again = false
		all := x.stretches()
		for to := range all {
			for from := to + 1; from < len(all) && !again; from++ {
				again = all[from].task == all[to].task && x.moves(all, from, to)
			}
		}
	}
}

// moves tries a stretch behind an earlier one of its task, which keeps what lies in between
// in its order.
func (x *shrinker) moves(all []stretch, from, to int) bool {
	before, best := oddities(all), x.best
	moved := slices.Delete(slices.Clone(all), from, from+1)
	moved[to].n += all[from].n
	if !x.failsBy(&rerun{stretches: moved, others: x.others()}) {
		return false
	}
	if oddities(x.stretches()) < before {
		return true
	}
	x.best = best
	return false
}

// oddities is how many stretches a report names.
func oddities(all []stretch) (n int) {
	for _, s := range all {
		if s.odd {
			n++
		}
	}
	return n
}

// stretches are those of the best record.
func (x *shrinker) stretches() (all []stretch) {
	x.s.reset(&replay{picks: x.best}, x.c.o.MaxSteps)
	x.c.play(x.s)
	for i, d := range x.s.made {
		if i == len(x.best) {
			break
		}
		if d.kind != uint8(asyncio.ChooseReady) || int(d.step) == len(x.s.steps) {
			continue
		}
		task, odd := x.s.steps[d.step].task, d.picked > 0
		if n := len(all); n > 0 && all[n-1].task == task && all[n-1].odd == odd {
			all[n-1].n++
		} else {
			all = append(all, stretch{task, 1, odd})
		}
	}
	return all
}

// others are the decisions of the best record that pick no task.
func (x *shrinker) others() (picks []int32) {
	for _, d := range x.s.made {
		if d.kind != uint8(asyncio.ChooseReady) {
			picks = append(picks, d.picked)
		}
	}
	return picks
}

// rerun is a strategy that follows stretches of tasks, and then FIFO order. A task that is
// not ready loses its turn.
type rerun struct {
	stretches []stretch
	others    []int32
}

func (r *rerun) pick(s *schedule, kind uint8, candidates []asyncio.Candidate) int {
	if kind != uint8(asyncio.ChooseReady) {
		return r.draw(s, len(candidates))
	}
	for len(r.stretches) > 0 && r.stretches[0].n == 0 {
		r.stretches = r.stretches[1:]
	}
	if len(r.stretches) == 0 {
		return 0
	}
	next := &r.stretches[0]
	next.n--
	return max(0, slices.IndexFunc(candidates, func(c asyncio.Candidate) bool { return idOf(c) == next.task }))
}

func (r *rerun) draw(_ *schedule, n int) int {
	if len(r.others) == 0 {
		return 0
	}
	picked := r.others[0]
	r.others = r.others[1:]
	return min(int(picked), n-1)
}
