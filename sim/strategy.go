package sim

import (
	"fmt"
	"math/rand/v2"

	"github.com/asyncio-go/asyncio"
)

// A Strategy is a way of choosing among schedules. No single one finds every bug soon,
// so campaigns take several in turn.
type Strategy string

// The strategies. Seed 0 is always FIFO.
const (
	// FIFO is what a loop does outside of simulation: everything in order of arrival.
	FIFO Strategy = "fifo"
	// Walk is the uniform random walk over interleavings: a task is picked with the
	// probability that its share of the steps that are left has, as far as the first
	// run of the campaign tells. (Zhao et al., "Selectively Uniform Concurrency
	// Testing", ASPLOS 2025.)
	Walk Strategy = "walk"
	// PCT gives every task a random priority, always runs the highest, and lowers it
	// at d-1 random steps, with a depth d from 3 to 5: a bug that needs an order of d
	// steps is found with a probability of at least 1/(tasks × steps^(d-1)), in those of
	// the runs that are as deep. (Burckhardt et al., "A Randomized
	// Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010.)
	PCT Strategy = "pct"
	// POS gives every pending step a random priority, and a new one to those that
	// wait for the same object as the one that has run. (Yuan, Yang and Gu, "Partial
	// Order Aware Concurrency Sampling", CAV 2018.)
	POS Strategy = "pos"
	// Random picks any of the ready tasks, all with the same probability.
	Random Strategy = "random"
	// Exhaustive tries every schedule, in order, as far as the number of seeds and
	// the budget go; the report says whether it came to the end. It cannot be mixed
	// with others.
	Exhaustive Strategy = "exhaustive"
)

func (s Strategy) exists() bool {
	switch s {
	case FIFO, Walk, PCT, POS, Random, Exhaustive:
		return true
	}
	return false
}

func (s Strategy) mustExist() {
	if !s.exists() {
		panic(fmt.Sprintf("sim: there is no strategy %q; take one of FIFO, Walk, PCT, POS, Random and Exhaustive", s))
	}
}

// portfolio is what a campaign takes in turn.
var portfolio = []Strategy{Walk, PCT, POS}

// A strategy makes the decisions of one run.
type strategy interface {
	pick(s *schedule, kind uint8, candidates []asyncio.Candidate) int
	draw(s *schedule, n int) int
}

// strategyOf is the strategy of a seed.
func (o *Options) strategyOf(seed uint64) Strategy {
	if seed == 0 {
		return FIFO
	}
	all := o.Strategies
	if len(all) == 0 {
		all = portfolio
	}
	return all[(seed-1)%uint64(len(all))]
}

// A dice is a strategy's source of chance: it is used again from run to run.
type dice struct {
	source rand.PCG
	*rand.Rand
}

func newDice() *dice {
	d := &dice{}
	d.Rand = rand.New(&d.source)
	return d
}

// draw is what the world wants to know.
func (d *dice) draw(_ *schedule, n int) int { return d.IntN(n) }

// strategies are the reusable strategies of one worker.
type strategies struct {
	dice *dice
	walk walk
	pct  pct
	pos  pos
}

func newStrategies() *strategies { return &strategies{dice: newDice()} }

// begin is the strategy for a run with the seed.
func (x *strategies) begin(kind Strategy, seed uint64, est *estimate) strategy {
	x.dice.source.Seed(seed, 0x51a)
	switch kind {
	case FIFO:
		return fifo{}
	case Walk:
		x.walk.begin(x.dice, est)
		return &x.walk
	case PCT:
		x.pct.begin(x.dice, est)
		return &x.pct
	case POS:
		x.pos.begin(x.dice)
		return &x.pos
	case Random:
		return random{x.dice}
	}
	panic(fmt.Sprintf("sim: the strategy %q is not one of a single run; take another", kind))
}

// An estimate is what the first run tells of those to come.
type estimate struct {
	steps map[uint64]int // of each task
	all   int            // steps
	picks int            // those that were picked among several
}

func estimateOf(s *schedule) *estimate {
	est := &estimate{steps: map[uint64]int{}}
	for _, st := range s.steps {
		est.steps[st.task]++
	}
	est.all = len(s.steps)
	for _, d := range s.made {
		if d.kind == uint8(asyncio.ChooseReady) {
			est.picks++
		}
	}
	return est
}

// fifo is the order of arrival.
type fifo struct{}

func (fifo) pick(*schedule, uint8, []asyncio.Candidate) int { return 0 }
func (fifo) draw(*schedule, int) int                        { return 0 }

// random is any order.
type random struct{ *dice }

func (r random) pick(_ *schedule, _ uint8, c []asyncio.Candidate) int { return r.IntN(len(c)) }

func idOf(c asyncio.Candidate) uint64 {
	if c.Task == nil {
		return 0
	}
	return c.Task.ID()
}
