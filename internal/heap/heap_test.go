package heap_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/asyncio-go/asyncio/internal/heap"
)

type timer struct {
	item heap.Item
	when int64
	id   int
}

// FuzzHeap drives a Heap and a sorted slice with the same calls.
func FuzzHeap(f *testing.F) {
	f.Add([]byte{10, 20, 10, 255, 254, 30, 5, 255, 254, 253, 255})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var h heap.Heap[*timer]
		var want []*timer
		for id, op := range ops {
			switch {
			case op < 128 || len(want) == 0:
				tm := &timer{when: int64(op % 16), id: id}
				h.Push(tm.when, &tm.item, tm)
				want = append(want, tm)
				slices.SortStableFunc(want, func(a, b *timer) int { return cmp.Compare(a.when, b.when) })
			case op%2 == 0:
				k := int(op/2) % len(want)
				h.Remove(&want[k].item)
				if want[k].item.Queued() {
					t.Fatal("a removed timer says that it is queued")
				}
				want = slices.Delete(want, k, k+1)
			default:
				if got := h.Pop(); got != want[0] {
					t.Fatalf("Pop() = timer %d, want %d", got.id, want[0].id)
				}
				want = want[1:]
			}
			check(t, &h, want)
		}
		for len(want) > 0 {
			if got := h.Pop(); got != want[0] {
				t.Fatalf("Pop() = timer %d, want %d", got.id, want[0].id)
			}
			want = want[1:]
		}
	})
}

func check(t *testing.T, h *heap.Heap[*timer], want []*timer) {
	t.Helper()
	if h.Len() != len(want) {
		t.Fatalf("Len() = %d, want %d", h.Len(), len(want))
	}
	if len(want) == 0 {
		return
	}
	if h.Next() != want[0].when {
		t.Fatalf("Next() = %d, want %d", h.Next(), want[0].when)
	}
	equal := 0
	for _, tm := range want {
		if tm.when == want[0].when {
			equal++
		}
	}
	if got := h.Equal(); got != equal {
		t.Fatalf("Equal() = %d, want %d", got, equal)
	}
}

func TestHeap_EqualDeadlinesPopInOrderOfInsertion(t *testing.T) {
	var h heap.Heap[*timer]
	timers := make([]timer, 10_000)
	for i := range timers {
		timers[i].id = i
		h.Push(7, &timers[i].item, &timers[i])
	}
	for i := range timers {
		if got := h.Pop(); got.id != i {
			t.Fatalf("pop %d gave timer %d", i, got.id)
		}
	}
}

func TestHeap_GivesMemoryBack(t *testing.T) {
	var h heap.Heap[*timer]
	timers := make([]timer, 1<<17)
	for i := range timers {
		h.Push(int64(i*7919%1000), &timers[i].item, &timers[i])
	}
	for i := range timers {
		h.Remove(&timers[i].item)
	}
	if h.Len() != 0 {
		t.Fatalf("Len() = %d, want 0", h.Len())
	}
}

func BenchmarkPushRemove_100000Pending(b *testing.B) {
	var h heap.Heap[*timer]
	timers := make([]timer, 100_000)
	for i := range timers {
		h.Push(int64(i*7919%1_000_003), &timers[i].item, &timers[i])
	}
	tm := &timer{}
	i := int64(0)
	for b.Loop() {
		i++
		h.Push(1_000_000+i%1000, &tm.item, tm)
		h.Remove(&tm.item)
	}
}
