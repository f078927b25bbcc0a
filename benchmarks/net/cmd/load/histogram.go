package main

import (
	"math/bits"
	"time"
)

// A histogram counts durations, exact to a 64th of their length. The zero value
// is empty.
type histogram struct {
	buckets [60 << precision]int64
	n       int64
}

const precision = 6

func (h *histogram) add(d time.Duration) {
	h.buckets[bucket(uint64(max(d, 0)))]++
	h.n++
}

// bucket is monotonic; above 2^precision there are as many for each power of two.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-precision-1, 0)
	return shift<<precision + int(v>>shift)
}

// value is the smallest that bucket i holds.
func value(i int) uint64 {
	shift := max(i>>precision-1, 0)
	return uint64(i-shift<<precision) << shift
}

// quantile returns the duration that a part q of all does not exceed.
func (h *histogram) quantile(q float64) time.Duration {
	rank := int64(q * float64(h.n))
	for i, count := range h.buckets {
		if rank -= count; rank < 0 {
			return time.Duration(value(i))
		}
	}
	return 0
}
