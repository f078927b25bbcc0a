package sim

import (
	"time"

	"github.com/asyncio-go/asyncio"
)

// A schedule is one run's decisions: it makes them, as the loop's Chooser, and keeps
// the record of them. It belongs to the loop of the run.
type schedule struct {
	by       strategy
	now      func() time.Duration // the virtual time
	maxSteps int

	made    []decision
	steps   []step
	hash    uint64
	over    bool // there were more steps than maxSteps
	strayed int  // the decision at which a record could not be followed, or -1

	paused func(t asyncio.AnyTask) bool // nil unless a host is paused
	dying  func(t asyncio.AnyTask) bool // nil unless one has just crashed
	before func(c asyncio.Candidate)    // hooks, usually nil
	after  func(c asyncio.Candidate)
	names  *names // nil unless the run is made for a report

	head   asyncio.AnyTask // the oldest that is ready
	passed int             // how often it was passed over
	free   []asyncio.Candidate
	places []int
	alarm  *time.Timer // of watch
}

// A decision is a pick of one of several. What FIFO order picks is 0.
type decision struct {
	kind   uint8
	n      int32
	picked int32
	step   int32 // before which it was made
}

// The kinds of decisions are those of asyncio, and the draws of the world.
const kindDraw = 100

// A step is one step of a task or callback, as the hash and the reports see it.
type step struct {
	task uint64 // 0 of a callback
	at   time.Duration
}

// maxPassed bounds how often a ready task is passed over, so that a task that yields
// in a loop starves nobody.
const maxPassed = 100

func (s *schedule) reset(by strategy, maxSteps int) {
	s.by, s.maxSteps = by, maxSteps
	s.made, s.steps, s.hash = s.made[:0], s.steps[:0], 0
	s.over, s.strayed = false, -1
	s.paused, s.dying, s.before, s.after, s.names = nil, nil, nil, nil, nil
	s.head, s.passed = nil, 0
}

// Choose implements [asyncio.Chooser].
func (s *schedule) Choose(kind asyncio.Choice, candidates []asyncio.Candidate) int {
	if kind != asyncio.ChooseReady {
		return s.decide(uint8(kind), candidates)
	}
	if s.dying != nil {
		return s.chooseDying(candidates)
	}
	if s.paused != nil {
		return s.chooseUnpaused(candidates)
	}
	return s.chooseReady(candidates)
}

func (s *schedule) chooseReady(candidates []asyncio.Candidate) int {
	head := candidates[0].Task
	if head != s.head {
		s.head, s.passed = head, 0
	}
	if s.passed >= maxPassed {
		s.passed = 0
		return 0
	}
	i := s.decide(uint8(asyncio.ChooseReady), candidates)
	if i > 0 {
		s.passed++
	}
	return i
}

// chooseDying lets what belongs to a crashed host unwind, before all else and in order
// of arrival, so it is no decision. The callbacks that see to it come next.
func (s *schedule) chooseDying(candidates []asyncio.Candidate) int {
	at := 0
	for i, c := range candidates {
		if c.Task == nil {
			at = i
		} else if s.dying(c.Task) {
			return i
		}
	}
	return at
}

// chooseUnpaused leaves out what belongs to a paused host.
func (s *schedule) chooseUnpaused(candidates []asyncio.Candidate) int {
	s.free, s.places = s.free[:0], s.places[:0]
	for i, c := range candidates {
		if c.Task == nil || !s.paused(c.Task) {
			s.free, s.places = append(s.free, c), append(s.places, i)
		}
	}
	if len(s.free) == 0 {
		return -1
	}
	i := s.places[s.chooseReady(s.free)]
	clear(s.free)
	return i
}

// decide has the strategy pick, and notes what it picked.
func (s *schedule) decide(kind uint8, candidates []asyncio.Candidate) int {
	n := len(candidates)
	if n == 1 {
		return 0
	}
	picked := s.by.pick(s, kind, candidates)
	if s.names != nil && picked > 0 {
		s.names.chose(len(s.made), kind, candidates[picked], candidates[0], picked)
	}
	return s.note(kind, n, picked)
}

// draw is a decision of the world; what is what a report says it was for. 0 is what an
// ideal world would do.
func (s *schedule) draw(n int, what string) int {
	if n < 2 {
		return 0
	}
	picked := s.by.draw(s, n)
	if s.names != nil && picked > 0 {
		s.names.drew(len(s.made), picked, what)
	}
	return s.note(kindDraw, n, picked)
}

func (s *schedule) note(kind uint8, n, picked int) int {
	s.made = append(s.made, decision{kind, int32(n), int32(picked), int32(len(s.steps))})
	s.mix(uint64(kind)<<48 | uint64(n)<<24 | uint64(picked))
	return picked
}

// BeforeStep implements [asyncio.Watcher].
func (s *schedule) BeforeStep(c asyncio.Candidate) {
	st := step{at: s.now()}
	if c.Task != nil {
		st.task = c.Task.ID()
	}
	s.steps = append(s.steps, st)
	s.mix(st.task ^ uint64(st.at))
	if s.names != nil {
		s.names.step(c)
	}
	if s.before != nil {
		s.before(c)
	}
}

// AfterStep implements [asyncio.Watcher].
func (s *schedule) AfterStep(c asyncio.Candidate) {
	if s.after != nil {
		s.after(c)
	}
	if len(s.steps) > s.maxSteps {
		s.over = true
	}
}

// mix folds v into the hash of all that has happened.
func (s *schedule) mix(v uint64) {
	h := (s.hash ^ v) * 0x9e3779b97f4a7c15
	s.hash = h ^ h>>29
}
