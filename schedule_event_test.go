package asyncio_test

import (
	"context"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// An eventProgram waits for an event, which tasks and callbacks set and clear.
type eventProgram struct {
	passive
	real asyncio.Event
	set  bool
	line modelLine
}

func TestSchedules_Event(t *testing.T) { testSchedules(t, newEventProgram) }

func newEventProgram(s *schedule) scheduleProgram { return &eventProgram{passive: passive{s}} }

func (p *eventProgram) step(ctx context.Context, a *actor) {
	switch kind := p.draw(10); {
	case kind < 7:
		a.await(ctx, "wait", 0, func(w *modelWait) {
			if p.set {
				w.settle(nil)
			} else {
				p.line.push(w)
			}
		}, func(*modelWait) error { return p.real.Wait(ctx) })
	case kind == 7:
		p.raise()
	default:
		p.poke()
	}
}

// poke sets the event, perhaps only for a moment, or clears it.
func (p *eventProgram) poke() {
	kind := p.draw(3)
	if kind > 0 {
		p.raise()
	}
	if kind < 2 {
		p.note(-1, "clear", len(p.line))
		p.real.Clear()
		p.set = false
	}
	p.check()
}

// raise sets the event: whoever waits now is woken, whatever follows.
func (p *eventProgram) raise() {
	p.note(-1, "set", len(p.line))
	p.real.Set()
	p.set = true
	p.line.grantAll()
	p.check()
}

func (p *eventProgram) finish(context.Context) { p.raise() }

func (p *eventProgram) check() {
	n := p.line.len()
	if got := p.real.String(); countIn(got, "waiters") != n || p.real.IsSet() != p.set || p.set && n > 0 {
		p.fail("the event is %s, want it set: %v, and %d to wait", got, p.set, n)
	}
}

// A barrierProgram meets at a barrier, which tasks and callbacks abort and reset.
type barrierProgram struct {
	passive
	real    *asyncio.Barrier
	parties int
	broken  bool
	line    modelLine
}

func TestSchedules_Barrier(t *testing.T) { testSchedules(t, newBarrierProgram) }

func newBarrierProgram(s *schedule) scheduleProgram {
	n := 1 + s.draw(4)
	return &barrierProgram{passive: passive{s}, real: asyncio.NewBarrier(n), parties: n}
}

func (p *barrierProgram) step(ctx context.Context, a *actor) {
	if p.oneIn(8) {
		p.poke()
		return
	}
	w := a.await(ctx, "wait", p.line.len(), p.arrive, func(w *modelWait) error {
		index, err := p.real.Wait(ctx)
		if err == nil && index != w.v {
			p.fail("#%d: Wait returned the index %d, want %d", a.n, index, w.v)
		}
		return err
	})
	if w.settled && w.err == nil && p.oneIn(20) {
		p.poke()
	}
}

// arrive lets a whole generation go, each with its own index.
func (p *barrierProgram) arrive(w *modelWait) {
	if p.broken {
		w.settle(asyncio.ErrBrokenBarrier)
		return
	}
	p.line.push(w)
	if p.line.len() < p.parties {
		return
	}
	for index := range p.parties {
		p.line.grant().v = index
	}
}

func (p *barrierProgram) poke() {
	switch p.draw(6) {
	case 4:
		p.note(-1, "abort", p.line.len())
		p.real.Abort()
		p.broken = true
		p.line.failAll(asyncio.ErrBrokenBarrier)
	case 5:
		p.reset()
	}
	p.check()
}

func (p *barrierProgram) finish(context.Context) { p.reset() }

func (p *barrierProgram) reset() {
	p.note(-1, "reset", p.line.len())
	p.real.Reset()
	p.broken = false
	p.line.failAll(asyncio.ErrBrokenBarrier)
	p.check()
}

func (p *barrierProgram) check() {
	n := p.line.len()
	if p.real.Waiting() != n || p.real.Broken() != p.broken {
		p.fail("%d wait at %s, want %d, and it broken: %v", p.real.Waiting(), p.real, n, p.broken)
	}
	if n >= p.parties || n > 0 && p.broken {
		p.fail("%d wait at %s", n, p.real)
	}
}
