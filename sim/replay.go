package sim

import "github.com/asyncio-go/asyncio"

// replay is a strategy that follows a record and then FIFO order.
type replay struct {
	picks []int32
	of    []int32 // of how many each was picked, if that is known
	at    int
}

func (r *replay) pick(s *schedule, _ uint8, c []asyncio.Candidate) int { return r.draw(s, len(c)) }

func (r *replay) draw(s *schedule, n int) int {
	at := r.at
	r.at++
	if at >= len(r.picks) {
		return 0
	}
	picked := int(r.picks[at])
	if s.strayed < 0 && (picked >= n || at < len(r.of) && int(r.of[at]) != n) {
		s.strayed = at
	}
	if picked >= n {
		return 0
	}
	return picked
}

// picksOf is the record of a run, without the FIFO order that it ended with.
func picksOf(s *schedule) []int32 {
	picks := make([]int32, len(s.made))
	for i, d := range s.made {
		picks[i] = d.picked
	}
	return trimmed(picks)
}

func trimmed(picks []int32) []int32 {
	n := len(picks)
	for n > 0 && picks[n-1] == 0 {
		n--
	}
	return picks[:n]
}
