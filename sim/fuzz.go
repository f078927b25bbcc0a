package sim

import (
	"testing"

	"github.com/asyncio-go/asyncio"
)

// Fuzz makes the schedule, and the faults of the world, the input of a fuzz test:
// under go test -fuzz the coverage of f steers them, and a failing input is minimised
// and kept as Go does it. Each decision takes a byte, one among more than 256
// as many as it needs; when they are used up, the rest is FIFO order in an ideal world.
func Fuzz(t *testing.F, f Func, o Options) {
	t.Add([]byte{})
	t.Add([]byte{1, 1, 1, 1, 1, 1, 1, 1})
	t.Add([]byte{0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2})
	t.Fuzz(func(t *testing.T, data []byte) {
		c := newCampaign(f, o)
		s := &schedule{}
		s.reset(&bytes{data: data}, c.o.MaxSteps)
		if w := c.play(s); w.failure != nil {
			f := c.tell(c.shrink(w.failure, picksOf(s)), nil)
			f.Strategy, f.Schedules = "fuzz", 1
			t.Error(f)
		}
	})
}

// bytes is a strategy that takes its decisions from the input of a fuzz test.
type bytes struct{ data []byte }

func (b *bytes) pick(s *schedule, _ uint8, c []asyncio.Candidate) int { return b.draw(s, len(c)) }

func (b *bytes) draw(_ *schedule, n int) int {
	if len(b.data) == 0 {
		return 0
	}
	v := 0
	for size := 1; size < n && len(b.data) > 0; size <<= 8 { // a byte for each that n has
		v, b.data = v<<8|int(b.data[0]), b.data[1:]
	}
	return v % n
}
