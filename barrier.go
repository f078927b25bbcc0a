package asyncio

import (
	"context"
	"fmt"
)

// A Barrier holds tasks until a number of them has come, and then lets them all
// go on; then it begins anew. It must not be copied. It belongs to the loop of
// the first task that waits at it.
type Barrier struct {
	_       noCopy
	parties int
	arrived int // since it began anew, those included who have left since
	broken  bool
	waiting waitlist
}

// NewBarrier makes a barrier for n tasks. It panics if n is not positive.
func NewBarrier(n int) *Barrier {
	if n < 1 {
		panic(misuse(nil, "NewBarrier(%d): nobody could pass it; give at least 1", n))
	}
	return &Barrier{parties: n}
}

// An arrival is one task's wait at a barrier.
type arrival struct {
	*Barrier
	index int
}

// Wait waits until as many tasks wait as the barrier is for. It returns the
// order of arrival among them, from 0 on, so that one of them can be the one that
// does something for all. Cancelling ctx ends the wait with a [CancelledError];
// the others go on waiting, for one more. After [Barrier.Abort], or if
// [Barrier.Reset] is called meanwhile, the error matches [ErrBrokenBarrier].
func (b *Barrier) Wait(ctx context.Context) (index int, err error) {
	a, err := newAwait(ctx, "Barrier.Wait")
	if err != nil {
		return 0, err
	}
	if b.parties == 0 {
		panic(misuse(ErrInvalidState, "Barrier.Wait: the barrier was not made with NewBarrier; nobody could pass it"))
	}
	b.waiting.bind(a.t.scope.e, b, "Barrier.Wait")
	if b.broken {
		return 0, b.brokenError("was aborted")
	}
	if b.arrived++; b.arrived >= b.parties {
		b.arrived = b.waiting.count() + 1
	}
	if b.arrived == b.parties {
		b.arrived = 0
		for t := range b.waiting.tasks.All {
			t.coro.on.(*arrival).index = index
			t.wake()
			index++
		}
		return index, nil
	}
	me := &arrival{Barrier: b}
	b.waiting.add(a.t)
	err = a.park(me)
	return me.index, err
}

// Abort breaks the barrier, for whoever waits at it and whoever comes, until
// Reset.
func (b *Barrier) Abort() {
	b.waiting.mustNotRace("Barrier.Abort")
	b.broken = true
	b.interrupt("was aborted")
}

// Reset makes the barrier as new. Whoever waits at it fails.
func (b *Barrier) Reset() {
	b.waiting.mustNotRace("Barrier.Reset")
	b.broken = false
	b.interrupt("was reset")
}

// Broken reports whether the barrier was aborted.
func (b *Barrier) Broken() bool {
	b.waiting.mustNotRace("Barrier.Broken")
	return b.broken
}

// Parties is how many tasks the barrier is for.
func (b *Barrier) Parties() int { return b.parties }

// Waiting is how many tasks wait.
func (b *Barrier) Waiting() int {
	b.waiting.mustNotRace("Barrier.Waiting")
	return b.waiting.count()
}

// String is the barrier and how many of its tasks have come.
func (b *Barrier) String() string {
	if b.waiting.isElsewhere() {
		return "<" + b.waiting.name("Barrier") + ">"
	}
	if b.broken {
		return "<" + b.waiting.name("Barrier") + " broken>"
	}
	return fmt.Sprintf("<%s parties=%d%s>", b.waiting.name("Barrier"), b.parties, length(&b.waiting.tasks, "waiters"))
}

func (b *Barrier) interrupt(why string) {
	b.arrived = 0
	for t := range b.waiting.tasks.All {
		t.interrupt(b.brokenError(why))
	}
	b.waiting.nudge()
}

func (b *Barrier) brokenError(why string) error {
	return fmt.Errorf("asyncio: Barrier.Wait: %w: the barrier %s", ErrBrokenBarrier, why)
}
