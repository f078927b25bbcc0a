package sim

import (
	"slices"
	"time"
)

// A shrinker makes the record of a failed run ordinary: as few decisions as possible
// that differ from FIFO order and an ideal world. What stays fails in the same way.
type shrinker struct {
	c     *campaign
	s     *schedule
	kind  Kind
	of    string // what it fails of
	best  []int32
	tries int
	steps int
	until time.Time // on the machine's clock
}

// Shrinking takes at most so many runs, and so many steps in all of them, which is
// about a second.
const (
	maxTries       = 5000
	maxShrinkSteps = 200_000
	maxShrinkTime  = 5 * time.Second // if the steps are slow
)

func (x *shrinker) spent() bool {
	return x.tries >= maxTries || x.steps >= maxShrinkSteps || time.Now().After(x.until)
}

// shrink is the shortest record that was found.
func (c *campaign) shrink(f *Failure, picks []int32) []int32 {
	x := &shrinker{c: c, s: &schedule{}, kind: f.Kind, of: complaint(f), best: slices.Clone(picks)}
	x.until = time.Now().Add(maxShrinkTime)
	x.drop()
	if n := x.deviations(); n > 1 {
		x.search(n - 1)
	}
	x.lower()
	x.gather()
	return x.best
}

// fails runs a record, and keeps it if it fails in the same way.
func (x *shrinker) fails(picks []int32) bool { return x.failsBy(&replay{picks: picks}) }

// failsBy is fails for the decisions of a strategy.
func (x *shrinker) failsBy(by strategy) bool {
	if x.spent() {
		return false
	}
	x.tries++
	x.s.reset(by, x.c.o.MaxSteps)
	w := x.c.play(x.s)
	x.steps += len(x.s.steps)
	if w.failure == nil || w.failure.Kind != x.kind || complaint(w.failure) != x.of {
		return false
	}
	x.best = picksOf(x.s) // what was followed, which may be less than what was given
	return true
}

func (x *shrinker) deviations() (n int) {
	for _, p := range x.best {
		if p != 0 {
			n++
		}
	}
	return n
}

// drop takes deviations away: half of them, a quarter, down to one by one, until none
// can be spared. (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
// Input", IEEE TSE 2002.)
func (x *shrinker) drop() {
	for size := (x.deviations() + 1) / 2; size > 0 && !x.spent(); {
		if !x.dropChunks(size) {
			size /= 2
		} else {
			size = min(size, (x.deviations()+1)/2)
		}
	}
}

// dropChunks tries the record without each so many deviations in a row.
func (x *shrinker) dropChunks(size int) (shorter bool) {
	for from := 0; from < x.deviations() && !x.spent(); {
		picks := slices.Clone(x.best)
		seen := 0
		for i, p := range picks {
			if p == 0 {
				continue
			}
			if seen >= from && seen < from+size {
				picks[i] = 0
			}
			seen++
		}
		before := x.deviations()
		if x.fails(trimmed(picks)) && x.deviations() < before {
			shorter = true
		} else {
			from += size
		}
	}
	return shorter
}

// search tries every record of at most so many deviations, the fewest first: what is
// found by dropping is the shortest of its kind, not of all.
func (x *shrinker) search(most int) {
	x.s.reset(fifo{}, x.c.o.MaxSteps)
	x.c.play(x.s)
	base := slices.Clone(x.s.made)
	for n := 1; n <= min(most, 2); n++ {
		if x.extend(nil, base, n) {
			return
		}
	}
}

// extend tries picks with n more deviations behind its end; made is what running it met.
func (x *shrinker) extend(picks []int32, made []decision, n int) bool {
	for i := len(picks); i < len(made); i++ {
		for p := int32(1); p < min(made[i].n, maxSearched); p++ {
			if x.spent() {
				return false
			}
			longer := append(slices.Grow(slices.Clone(picks), i+1-len(picks)), make([]int32, i+1-len(picks))...)
			longer[i] = p
			if x.fails(longer) {
				return true
			}
			if n > 1 && x.extend(longer, slices.Clone(x.s.made), n-1) {
				return true
			}
		}
	}
	return false
}

// maxSearched bounds how many picks of a decision are tried.
const maxSearched = 8

// lower makes each deviation as small as it can be.
func (x *shrinker) lower() {
	for i := 0; i < len(x.best) && !x.spent(); i++ {
		for p := int32(1); i < len(x.best) && p < min(x.best[i], maxSearched); p++ {
			if x.lowers(i, p) {
				break
			}
		}
		for i < len(x.best) && x.best[i] > maxSearched && x.lowers(i, x.best[i]/2) {
		}
	}
}

// lowers tries p for the pick at i.
func (x *shrinker) lowers(i int, p int32) bool {
	picks, n := slices.Clone(x.best), x.deviations()
	picks[i] = p
	return x.fails(picks) && x.deviations() <= n
}
