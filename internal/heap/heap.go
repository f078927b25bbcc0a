// Package heap is a timer heap: entries ordered by deadline, then by order of
// insertion, each of which can be removed without a search.
package heap

// Item is a timer's place in a heap. It is embedded in the timer; a zero Item
// is in no heap.
type Item struct {
	at int // 1 + index in the heap; 0: in none
}

// Queued reports whether the item is in a heap.
func (it *Item) Queued() bool { return it.at != 0 }

// arity is four: a heap half as deep as a binary one, whose children share a
// cache line or two. https://arxiv.org/abs/1403.0252 measures it.
const arity = 4

// entry keeps the key beside the pointer, so that sifting touches no timer but
// those that move.
type entry[T any] struct {
	when int64
	seq  uint64
	item *Item
	v    T
}

func (a *entry[T]) before(b *entry[T]) bool {
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

// Heap is a heap of timers. Its zero value is empty and ready.
type Heap[T any] struct {
	entries []entry[T]
	seq     uint64
}

// Len is the number of timers.
func (h *Heap[T]) Len() int { return len(h.entries) }

// Next is the earliest deadline; the heap must not be empty.
func (h *Heap[T]) Next() int64 { return h.entries[0].when }

// Push inserts v, whose place is it, with its deadline.
func (h *Heap[T]) Push(when int64, it *Item, v T) {
	h.seq++
	h.entries = append(h.entries, entry[T]{})
	h.up(len(h.entries)-1, entry[T]{when, h.seq, it, v})
}

// Pop removes the earliest timer; the heap must not be empty.
func (h *Heap[T]) Pop() T {
	v := h.entries[0].v
	h.Remove(h.entries[0].item)
	return v
}

// Equal is the number of timers that share the earliest deadline.
func (h *Heap[T]) Equal() int {
	if len(h.entries) == 0 {
		return 0
	}
	return h.equal(0, h.entries[0].when)
}

func (h *Heap[T]) equal(i int, when int64) int {
	if i >= len(h.entries) || h.entries[i].when != when {
		return 0
	}
	n := 1
	for c := arity*i + 1; c <= arity*i+arity; c++ {
		n += h.equal(c, when)
	}
	return n
}

// Remove takes the item's timer out; the item must be in this heap.
func (h *Heap[T]) Remove(it *Item) {
	i := it.at - 1
	it.at = 0
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries[last] = entry[T]{}
	h.entries = h.entries[:last]
	switch {
	case i == last:
	case i > 0 && e.before(&h.entries[(i-1)/arity]):
		h.up(i, e)
	default:
		h.down(i, e)
	}
	if last < cap(h.entries)/4 && cap(h.entries) > 1<<14 {
		h.entries = append(make([]entry[T], 0, cap(h.entries)/2), h.entries...)
	}
}

// up and down place e, for which the hole at i is free.

func (h *Heap[T]) up(i int, e entry[T]) {
	for i > 0 {
		p := (i - 1) / arity
		if !e.before(&h.entries[p]) {
			break
		}
		h.set(i, h.entries[p])
		i = p
	}
	h.set(i, e)
}

func (h *Heap[T]) down(i int, e entry[T]) {
	for {
		first := arity*i + 1
		if first >= len(h.entries) {
			break
		}
		least := first
		for c := first + 1; c < min(first+arity, len(h.entries)); c++ {
			if h.entries[c].before(&h.entries[least]) {
				least = c
			}
		}
		if !h.entries[least].before(&e) {
			break
		}
		h.set(i, h.entries[least])
		i = least
	}
	h.set(i, e)
}

func (h *Heap[T]) set(i int, e entry[T]) {
	h.entries[i] = e
	e.item.at = i + 1
}
