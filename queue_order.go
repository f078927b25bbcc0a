package asyncio

import "github.com/asyncio-go/asyncio/internal/ring"

// A LifoQueue is a [Queue] from which the value comes first that was put last.
type LifoQueue[T any] struct{ Queue[T] }

// NewLifoQueue makes a queue of up to max values; zero or less means any number.
func NewLifoQueue[T any](max int) *LifoQueue[T] {
	q := &LifoQueue[T]{}
	q.init("LifoQueue", max, &lifo[T]{})
	return q
}

// A PriorityQueue is a [Queue] from which the smallest value comes first, and of
// equal ones that which was put first.
type PriorityQueue[T any] struct{ Queue[T] }

// NewPriorityQueue makes a queue of up to max values, which less orders; zero or
// less means any number.
func NewPriorityQueue[T any](max int, less func(a, b T) bool) *PriorityQueue[T] {
	mustFunc(less != nil, "NewPriorityQueue")
	q := &PriorityQueue[T]{}
	q.init("PriorityQueue", max, &byPriority[T]{less: less})
	return q
}

// fifo is a store from which the oldest comes first.
type fifo[T any] struct{ ring.Buffer[T] }

func (s *fifo[T]) push(v T) { s.Push(v) }
func (s *fifo[T]) pop() T   { return s.Pop() }
func (s *fifo[T]) len() int { return s.Len() }
func (s *fifo[T]) clear()   { s.Buffer = ring.Buffer[T]{} }

// lifo is a store from which the youngest comes first.
type lifo[T any] struct{ values []T }

func (s *lifo[T]) push(v T) { s.values = append(s.values, v) }
func (s *lifo[T]) len() int { return len(s.values) }
func (s *lifo[T]) clear()   { s.values = nil }

func (s *lifo[T]) pop() T {
	last := len(s.values) - 1
	v := s.values[last]
	var zero T
	s.values[last] = zero
	s.values = s.values[:last]
	return v
}

// byPriority is a store from which the smallest comes first: a binary heap. It
// asks less for the whole way of a value before it moves any, so that a less that
// panics changes nothing; container/heap does both at once.
type byPriority[T any] struct {
	less   func(a, b T) bool
	values []ranked[T]
	puts   uint64
	way    []int // scratch
}

type ranked[T any] struct {
	v   T
	seq uint64 // among equals the first put comes first
}

func (s *byPriority[T]) before(a, b *ranked[T]) bool {
	return s.less(a.v, b.v) || !s.less(b.v, a.v) && a.seq < b.seq
}

func (s *byPriority[T]) len() int { return len(s.values) }
func (s *byPriority[T]) clear()   { s.values = nil }

func (s *byPriority[T]) push(v T) {
	r := ranked[T]{v, s.puts + 1}
	s.way = append(s.way[:0], len(s.values))
	for i := len(s.values); i > 0; {
		if i = (i - 1) / 2; !s.before(&r, &s.values[i]) {
			break
		}
		s.way = append(s.way, i)
	}
	s.puts++
	s.values = append(s.values, r)
	s.move(r)
}

func (s *byPriority[T]) pop() T {
	v, last := s.values[0].v, len(s.values)-1
	r := s.values[last]
	s.way = append(s.way[:0], 0)
	for i := 1; i < last; i = 2*i + 1 {
		if i+1 < last && s.before(&s.values[i+1], &s.values[i]) {
			i++
		}
		if !s.before(&s.values[i], &r) {
			break
		}
		s.way = append(s.way, i)
	}
	s.move(r)
	s.values[last] = ranked[T]{}
	s.values = s.values[:last]
	return v
}

// move shifts the values on the way by one place towards its beginning, and puts
// r at its end.
func (s *byPriority[T]) move(r ranked[T]) {
	for n := 1; n < len(s.way); n++ {
		s.values[s.way[n-1]] = s.values[s.way[n]]
	}
	s.values[s.way[len(s.way)-1]] = r
}
