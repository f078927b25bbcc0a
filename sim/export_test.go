package sim

import "fmt"

// Hashes are those of the runs of so many seeds, in a worker's order, each with its
// strategy and how many steps it took.
func Hashes(f Func, o Options) ([]string, error) {
	c := newCampaign(f, o)
	c.first()
	if c.failed != nil {
		return nil, c.failed
	}
	var all []string
	by, s := newStrategies(), &schedule{}
	for i := range uint64(c.o.Seeds) {
		seed := c.o.Seed + i
		s.reset(by.begin(c.o.strategyOf(seed), seed, c.est), c.o.MaxSteps)
		if w := c.play(s); w.failure != nil {
			return nil, w.failure
		}
		all = append(all, fmt.Sprintf("seed %d %s %d steps %016x", seed, c.o.strategyOf(seed), len(s.steps), s.hash))
	}
	return all, nil
}

// StuckReport is what is told of a run of f that does not end.
func StuckReport(f Func) string { return stuckReport(f) }

// Moments is at how many moments CancelEverywhere can cancel in the run of FIFO order.
func Moments(f Func) int {
	c := newCampaign(f, Options{})
	c.cancels = true
	s := &schedule{}
	s.reset(fifo{}, c.o.MaxSteps)
	return c.play(s).victim.moments
}
