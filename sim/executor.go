package sim

import "github.com/asyncio-go/asyncio"

// An executor runs the functions of asyncio.Blocking on the loop, one at a time, each
// at a step that the schedule chooses: what they do off the loop cannot be replayed.
type executor struct {
	w       *World
	waiting []func()
}

// Execute implements [asyncio.Executor].
func (x *executor) Execute(f func()) {
	x.waiting = append(x.waiting, f)
	x.w.loop.CallSoon(x.next)
}

// next runs one of the functions that wait.
func (x *executor) next() {
	i := x.w.s.draw(len(x.waiting))
	f := x.waiting[i]
	x.waiting = append(x.waiting[:i], x.waiting[i+1:]...)
	f()
}

var _ asyncio.Executor = (*executor)(nil)
