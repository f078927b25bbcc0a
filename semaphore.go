package asyncio

import (
	"context"
	"fmt"
	"slices"
)

// A Semaphore bounds how many tasks do something at a time. Tasks get its
// permits in the order in which they asked: one that asks while others wait is
// behind them. It must not be copied. It belongs to the loop of the first task
// that had to wait for it.
type Semaphore struct {
	_       noCopy
	size    int
	free    int     // permits that nobody has; none while tasks wait
	takers  []*task // some of those who have the others, for reports
	waiting waitlist
}

// NewSemaphore makes a semaphore of n permits, all of them free. It panics if n
// is not positive.
func NewSemaphore(n int) *Semaphore {
	if n < 1 {
		panic(misuse(nil, "NewSemaphore(%d): nobody could acquire it; give at least 1, or use an Event to signal", n))
	}
	return &Semaphore{size: n, free: n}
}

// Acquire takes a permit, and waits while there is none. Cancelling ctx ends the
// wait with a [CancelledError], and then the task has none.
func (s *Semaphore) Acquire(ctx context.Context) error {
	a, err := newAwait(ctx, "Semaphore.Acquire")
	if err != nil {
		return err
	}
	s.mustBeMade("Semaphore.Acquire")
	s.waiting.mustBeOn(a.t.scope.e, s, "Semaphore.Acquire")
	if s.free > 0 {
		s.free--
		s.took(a.t)
		return nil
	}
	s.waiting.bind(a.t.scope.e, s, "Semaphore.Acquire")
	s.waiting.add(a.t)
	return a.park(s)
}

// TryAcquire takes a permit if one is free, without waiting, and reports whether
// it did.
func (s *Semaphore) TryAcquire(ctx context.Context) bool {
	t := currentTask(ctx, "Semaphore.TryAcquire")
	s.mustBeMade("Semaphore.TryAcquire")
	s.waiting.mustBeOn(t.scope.e, s, "Semaphore.TryAcquire")
	if s.free == 0 {
		return false
	}
	s.free--
	s.took(t)
	return true
}

// Release gives a permit to the task that has waited longest, or makes it free.
// Any task or callback may release what another one acquired. More releases than
// acquires panic.
func (s *Semaphore) Release() {
	s.waiting.mustNotRace("Semaphore.Release")
	if s.free == s.size {
		panic(misuse(ErrInvalidState, "Semaphore.Release: %v was released too many times; release it once for each "+
			"time it was acquired", s))
	}
	s.gave()
	next := s.waiting.tasks.Front()
	if next == nil {
		s.free++
		return
	}
	next.wake()
	s.took(next)
	s.waiting.nudge()
}

// Do runs f while the task has a permit. It returns the error of
// [Semaphore.Acquire], without having run f, or that of f.
func (s *Semaphore) Do(ctx context.Context, f func(ctx context.Context) error) error {
	mustFunc(f != nil, "Semaphore.Do")
	if err := s.Acquire(ctx); err != nil {
		return err
	}
	defer s.Release()
	return f(ctx)
}

// Free is the number of permits that nobody has.
func (s *Semaphore) Free() int {
	s.waiting.mustNotRace("Semaphore.Free")
	return s.free
}

// String is the semaphore, its free permits and how many wait.
func (s *Semaphore) String() string {
	if s.waiting.isElsewhere() {
		return "<" + s.waiting.name("Semaphore") + ">"
	}
	return fmt.Sprintf("<%s free=%d/%d%s>", s.waiting.name("Semaphore"), s.free, s.size, length(&s.waiting.tasks, "waiters"))
}

func (s *Semaphore) mustBeMade(fn string) {
	if s.size == 0 {
		panic(misuse(ErrInvalidState, "%s: the semaphore was not made with NewSemaphore; it has no permits", fn))
	}
}

// maxTakers is how many holders of permits are remembered.
const maxTakers = 8

// took remembers that t has a permit.
func (s *Semaphore) took(t *task) {
	if len(s.takers) < min(s.size, maxTakers) {
		s.takers = append(s.takers, t)
	}
}

// gave forgets a holder: the task that runs or, if that is none and all are
// remembered, the first.
func (s *Semaphore) gave() {
	if last := len(s.takers) - 1; last >= 0 && s.takers[last].scope.e.cur == s.takers[last] {
		s.takers[last] = nil
		s.takers = s.takers[:last]
		return
	}
	i := slices.IndexFunc(s.takers, func(t *task) bool { return t.scope.e.cur == t })
	if i < 0 && len(s.takers) < s.size-s.free {
		return
	}
	i = max(i, 0)
	s.takers = slices.Delete(s.takers, i, i+1)
}

// sharers implements shared.
func (s *Semaphore) sharers(yield func(*task) bool) {
	for _, t := range s.takers {
		if !t.done && !yield(t) {
			return
		}
	}
}
