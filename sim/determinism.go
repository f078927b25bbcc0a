package sim

import "fmt"

// why is what makes runs differ.
const why = "something depends on the machine's time, on a goroutine, on select, on the order of a map or on earlier runs"

// repeat runs a schedule again and says where the two runs part; it is empty if they do
// not. What leaves the simulation without going through the library is found by it.
func (c *campaign) repeat(s *schedule) string {
	again := &schedule{}
	again.reset(&replay{picks: picksOf(s)}, c.o.MaxSteps)
	again.names = newNames()
	c.play(again)
	if s.hash == again.hash && len(s.steps) == len(again.steps) {
		return ""
	}
	at := firstDifference(s, again)
	if at == min(len(s.steps), len(again.steps)) {
		return fmt.Sprintf("two runs of one schedule part behind step %d: one ends there, the other goes on; %s", at, why)
	}
	a, b := s.steps[at], again.steps[at]
	return fmt.Sprintf("two runs of one schedule part at step %d: %s at %v, and then %s at %v; %s",
		at+1, again.names.of(a.task), a.at, again.names.of(b.task), b.at, why)
}

// firstDifference is the first step in which two runs differ, or the length of the
// shorter one.
func firstDifference(a, b *schedule) int {
	n := min(len(a.steps), len(b.steps))
	for i := range n {
		if a.steps[i].task != b.steps[i].task || a.steps[i].at != b.steps[i].at {
			return i
		}
	}
	return n
}

// departs says where a run, which was made for a report, first departs from one that
// passed.
func departs(s, passed *schedule) string {
	at := firstDifference(s, passed)
	switch {
	case at == len(s.steps):
		return fmt.Sprintf("behind step %d, which is its last", at)
	case at == len(passed.steps):
		return fmt.Sprintf("behind step %d, which was the last there", at)
	}
	a, b := s.steps[at], passed.steps[at]
	if a.task == b.task {
		return fmt.Sprintf("at step %d: %s runs at %v, where it did at %v", at+1, s.names.of(a.task), a.at, b.at)
	}
	return fmt.Sprintf("at step %d: %s runs, where %s did", at+1, s.names.of(a.task), s.names.of(b.task))
}
