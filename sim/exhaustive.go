package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/asyncio-go/asyncio"
)

func (o *Options) exhaustive() bool { return slices.Contains(o.Strategies, Exhaustive) }

// exhaust tries every schedule, depth first. It reports whether it came to the end.
func (c *campaign) exhaust(began time.Time) bool {
	s, passed := &schedule{}, &schedule{}
	x := &exhaustive{}
	for n := uint64(0); ; n++ {
		if n >= c.o.Seed && n-c.o.Seed == uint64(c.o.Seeds) || c.o.Budget > 0 && time.Since(began) > c.o.Budget {
			return false
		}
		x.at = 0
		s.reset(x, c.o.MaxSteps)
		w := c.play(s)
		c.count(s)
		if s.strayed >= 0 {
			w.failure = &Failure{Kind: KindStrayed, Err: fmt.Errorf("what two runs have in common differs at decision %d; %s", s.strayed, why)}
		}
		if w.failure != nil {
			c.found(s, passed, n, w.failure)
			return false
		}
		if !x.advance() {
			return true
		}
		s, passed = passed, s
	}
}

// exhaustive is a path in the tree of decisions.
type exhaustive struct {
	path []fork
	at   int
}

// A fork is a decision with the picks that are left.
type fork struct{ picked, n int }

func (x *exhaustive) pick(s *schedule, _ uint8, c []asyncio.Candidate) int { return x.draw(s, len(c)) }

func (x *exhaustive) draw(s *schedule, n int) int {
	if x.at == len(x.path) {
		x.path = append(x.path, fork{0, n})
	}
	at := x.at
	if x.at++; x.path[at].n != n && s.strayed < 0 {
		s.strayed = at
	}
	return min(x.path[at].picked, n-1)
}

// advance goes on to the next path; there is none behind the last.
func (x *exhaustive) advance() bool {
	for len(x.path) > 0 {
		last := &x.path[len(x.path)-1]
		if last.picked++; last.picked < last.n {
			return true
		}
		x.path = x.path[:len(x.path)-1]
	}
	return false
}
