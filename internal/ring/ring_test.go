package ring_test

import (
	"slices"
	"testing"

	"github.com/asyncio-go/asyncio/internal/ring"
)

// FuzzBuffer drives a Buffer and a slice with the same calls.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 1, 0, 2, 2, 1})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var b ring.Buffer[int]
		var want []int
		for i, op := range ops {
			switch {
			case op%3 == 0 || len(want) == 0:
				b.Push(i)
				want = append(want, i)
			case op%3 == 1:
				if got := b.Pop(); got != want[0] {
					t.Fatalf("Pop() = %d, want %d", got, want[0])
				}
				want = want[1:]
			default:
				k := int(op) % len(want)
				if got := b.PopAt(k); got != want[k] {
					t.Fatalf("PopAt(%d) = %d, want %d", k, got, want[k])
				}
				want = slices.Delete(want, k, k+1)
			}
			if b.Len() != len(want) {
				t.Fatalf("Len() = %d, want %d", b.Len(), len(want))
			}
			for k, w := range want {
				if got := b.At(k); got != w {
					t.Fatalf("At(%d) = %d, want %d", k, got, w)
				}
			}
		}
	})
}

func TestBuffer_StaysInOrderWhileGrowing(t *testing.T) {
	var b ring.Buffer[int]
	next := 0
	for i := range 100_000 {
		b.Push(i)
		if i%3 == 0 {
			if got := b.Pop(); got != next {
				t.Fatalf("Pop() = %d, want %d", got, next)
			}
			next++
		}
	}
	for b.Len() > 0 {
		if got := b.Pop(); got != next {
			t.Fatalf("Pop() = %d, want %d", got, next)
		}
		next++
	}
	if next != 100_000 {
		t.Errorf("popped %d elements, want 100000", next)
	}
}

func TestBuffer_AllocatesNothingInSteadyState(t *testing.T) {
	var b ring.Buffer[int]
	for i := range 100 {
		b.Push(i)
	}
	if n := testing.AllocsPerRun(1000, func() { b.Push(b.Pop()) }); n != 0 {
		t.Errorf("Push+Pop allocates %v times, want 0", n)
	}
}
