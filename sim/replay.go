package sim

import "github.com/asyncio-go/asyncio"

// replay is a strategy that follows a record and then FIFO order.
type replay struct {
	picks []int32
	at    int
}

func (r *replay) pick(s *schedule, _ uint8, c []asyncio.Candidate) int { return r.draw(s, len(c)) }

func (r *replay) draw(s *schedule, n int) int {
	at := r.at
	r.at++
	switch {
	case at >= len(r.picks):
		return 0
	case int(r.picks[at]) < n:
		return int(r.picks[at])
	}
	if s.strayed < 0 {
		s.strayed = at
	}
	return 0
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
