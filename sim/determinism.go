package sim

import "fmt"

// parts says where two runs of one schedule part, or is empty. It compares step by
// step, so that what is told is the first that differs, not what followed from it.
func parts(a, b *schedule) string {
	if a.hash == b.hash && len(a.steps) == len(b.steps) {
		return ""
	}
	n := min(len(a.steps), len(b.steps))
	for i := range n {
		if a.steps[i].task != b.steps[i].task || a.steps[i].at != b.steps[i].at {
			return fmt.Sprintf("two runs of one schedule part at step %d: %v and then %v; something depends on the machine's "+
				"time, on a goroutine, on select or on the order of a map", i, a.steps[i], b.steps[i])
		}
	}
	return fmt.Sprintf("two runs of one schedule part at step %d: one goes on, the other does not; something depends on the "+
		"machine's time, on a goroutine, on select or on the order of a map", n)
}

// departs says where a run first departs from one that passed.
func departs(s, passed *schedule) string {
	n := min(len(s.steps), len(passed.steps))
	for i := range n {
		if s.steps[i].task != passed.steps[i].task {
			return fmt.Sprintf("at step %d", i)
		}
	}
	return fmt.Sprintf("at step %d, which is the last of one of them", n)
}
