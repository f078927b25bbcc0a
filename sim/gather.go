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

// An outline is a record by tasks: what is left out of it changes nothing in what comes
// behind, as it does in one of picks.
type outline struct {
	stretches []stretch
	others    []int32 // the decisions that pick no task
}

// oddities is how many deviations a report names, at least.
func (o *outline) oddities() (n int) {
	for _, s := range o.stretches {
		if s.odd {
			n++
		}
	}
	for _, p := range o.others {
		if p > 0 {
			n++
		}
	}
	return n
}

// outline is that of the best record.
func (x *shrinker) outline() (o outline) {
	x.s.reset(&replay{picks: x.best}, x.c.o.MaxSteps)
	x.c.play(x.s)
	for _, d := range x.s.made[:min(len(x.best), len(x.s.made))] {
		if d.kind != uint8(asyncio.ChooseReady) {
			o.others = append(o.others, d.picked)
			continue
		}
		if int(d.step) == len(x.s.steps) {
			continue // the run was over
		}
		task, odd := x.s.steps[d.step].task, d.picked > 0
		if n := len(o.stretches); n > 0 && o.stretches[n-1].task == task && o.stretches[n-1].odd == odd {
			o.stretches[n-1].n++
		} else {
			o.stretches = append(o.stretches, stretch{task, 1, odd})
		}
	}
	return o
}

// gather makes the words fewer that a report needs. A task that runs ahead does so in one
// go: a schedule in which two tasks take turns in running ahead of a third takes many
// words, one in which the first of them runs ahead and then the other few.
func (x *shrinker) gather() {
	for again := true; again && !x.spent(); {
		o := x.outline()
		again = x.omits(&o) || x.moves(&o)
	}
}

// omits tries the record without one of its stretches.
func (x *shrinker) omits(o *outline) bool {
	for i := len(o.stretches) - 1; i >= 0 && !x.spent(); i-- {
		if x.fewer(o, slices.Delete(slices.Clone(o.stretches), i, i+1)) {
			return true
		}
	}
	return false
}

// moves tries a stretch right behind an earlier one of its task.
func (x *shrinker) moves(o *outline) bool {
	for to := range o.stretches {
		for from := to + 1; from < len(o.stretches) && !x.spent(); from++ {
			if o.stretches[from].task != o.stretches[to].task {
				continue
			}
			moved := slices.Delete(slices.Clone(o.stretches), from, from+1)
			moved[to].n += o.stretches[from].n
			if x.fewer(o, moved) {
				return true
			}
		}
	}
	return false
}

// fewer tries other stretches than those of the best record, whose outline is o, and
// keeps them if it fails with fewer deviations.
func (x *shrinker) fewer(o *outline, stretches []stretch) bool {
	best := x.best
	if !x.failsBy(&rerun{outline{stretches, o.others}}) {
		return false
	}
	if now := x.outline(); now.oddities() < o.oddities() {
		return true
	}
	x.best = best
	return false
}

// rerun is a strategy that follows an outline, and then FIFO order. A task that is not
// ready loses its turn.
type rerun struct{ outline }

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
