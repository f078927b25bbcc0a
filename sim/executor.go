package sim

import (
	"slices"

	"github.com/asyncio-go/asyncio"
)

// An executor runs the functions of asyncio.Blocking on the loop, one at a time, each
// at a step that the schedule chooses: what they do off the loop cannot be replayed.
type executor struct {
	w       *World
	waiting []blocking
	owed    int // calls of next that found only functions of paused hosts
}

// A blocking function, and whose it is.
type blocking struct {
	f    func()
	life *life // nil: the world's
}

// Execute implements [asyncio.Executor].
func (x *executor) Execute(f func()) {
	x.waiting = append(x.waiting, blocking{f, x.w.running()})
	x.w.loop.CallSoon(x.next)
}

// next runs one of the functions that wait.
func (x *executor) next() {
	var free []int
	for i, b := range x.waiting {
		if b.life == nil || !b.life.h.paused {
			free = append(free, i)
		}
	}
	if len(free) == 0 {
		x.owed = len(x.waiting)
		return
	}
	i := free[x.w.s.draw(len(free), "the Blocking function that runs")]
	f := x.waiting[i].f
	x.waiting = slices.Delete(x.waiting, i, i+1)
	f()
}

// resume is called when a host is no longer paused.
func (x *executor) resume() {
	for ; x.owed > 0; x.owed-- {
		x.w.loop.CallSoon(x.next)
	}
}

// flush runs the functions of a host that is about to crash: the engine waits for them.
func (x *executor) flush(l *life) {
	for i := 0; i < len(x.waiting); {
		if b := x.waiting[i]; b.life != l {
			i++
		} else {
			x.waiting = slices.Delete(x.waiting, i, i+1)
			b.f()
		}
	}
}

var _ asyncio.Executor = (*executor)(nil)
