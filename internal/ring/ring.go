// Package ring is a growing queue that allocates nothing once it has grown.
package ring

// Buffer is a first-in first-out queue. Its zero value is empty and ready.
type Buffer[T any] struct {
	buf  []T // len is a power of two, or zero
	head int // index of the oldest element
	n    int
}

// shrinkAbove is the capacity from which an emptied buffer gives its memory
// back, so that one burst does not hold it for the life of a loop.
const shrinkAbove = 1 << 14

// Len is the number of queued elements.
func (b *Buffer[T]) Len() int { return b.n }

// Push appends v.
func (b *Buffer[T]) Push(v T) {
	if b.n == len(b.buf) {
		b.resize(max(16, 2*b.n))
	}
	b.buf[(b.head+b.n)&(len(b.buf)-1)] = v
	b.n++
}

// Pop removes the oldest element. The buffer must not be empty.
func (b *Buffer[T]) Pop() T {
	p := &b.buf[b.head]
	v := *p
	var zero T
	*p = zero
	b.head = (b.head + 1) & (len(b.buf) - 1)
	b.n--
	if b.n == 0 && len(b.buf) > shrinkAbove {
		b.buf, b.head = nil, 0
	}
	return v
}

// At is the element i places behind the oldest.
func (b *Buffer[T]) At(i int) T { return b.buf[(b.head+i)&(len(b.buf)-1)] }

// PopAt removes the element i places behind the oldest and keeps the order of
// the others. It moves i elements.
func (b *Buffer[T]) PopAt(i int) T {
	v := b.At(i)
	mask := len(b.buf) - 1
	for ; i > 0; i-- {
		b.buf[(b.head+i)&mask] = b.buf[(b.head+i-1)&mask]
	}
	b.Pop()
	return v
}

func (b *Buffer[T]) resize(capacity int) {
	buf := make([]T, capacity)
	for i := range b.n {
		buf[i] = b.At(i)
	}
	b.buf, b.head = buf, 0
}
