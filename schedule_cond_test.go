package asyncio_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// A condProgram has two conditions on one lock. At one of them tasks wait for a
// notification, and at the other for tokens that others make.
//
// Everything takes place under the lock, except that a task which is cancelled in
// Wait queues for the lock at a moment that the model does not see. So it asks
// the lock who holds it, and knows who may.
type condProgram struct {
	passive
	lock      asyncio.Lock
	owner     *actor
	line      modelLine // for the lock: who acquires it and who was notified
	returning modelLine // whose wait was cancelled, and who must have the lock again
	arrivals  int       // in line
	plain     modelCond
	tokens    modelCond
	n         int // tokens
}

type modelCond struct {
	asyncio.Cond
	line modelLine
}

func TestSchedules_Cond(t *testing.T) { testSchedules(t, newCondProgram) }

func newCondProgram(s *schedule) scheduleProgram {
	p := &condProgram{passive: passive{s}}
	p.plain.L, p.tokens.L = &p.lock, &p.lock
	return p
}

func (p *condProgram) step(ctx context.Context, a *actor) {
	p.look()
	w := a.await(ctx, "acquire", 0, func(w *modelWait) {
		if p.owner == nil {
			p.owner = a
			w.settle(nil)
		} else {
			p.join(w)
		}
	}, func(*modelWait) error {
		err := p.plain.Acquire(ctx)
		p.look()
		return err
	})
	if w.err != nil {
		return
	}
	for range 1 + p.draw(3) {
		p.mustHold(a)
		p.underLock(ctx, a)
	}
	p.mustHold(a)
	p.note(a.n, "release", 0)
	p.owner = nil
	p.lock.Release()
	p.check()
}

func (p *condProgram) underLock(ctx context.Context, a *actor) {
	switch p.draw(8) {
	case 0, 1:
		a.await(ctx, "wait", 0, p.waitsAt(&p.plain), func(*modelWait) error {
			err := p.plain.Wait(ctx)
			p.look()
			return err
		})
	case 2, 3:
		p.waitForToken(ctx, a)
	case 4:
		p.notify(&p.plain, p.draw(4))
	case 5, 6:
		p.n++
		p.notify(&p.tokens, 1)
	case 7:
		a.pause(ctx)
	}
}

// waitsAt is the model's part of a Wait: the lock is free for the next.
func (p *condProgram) waitsAt(c *modelCond) func(w *modelWait) {
	return func(w *modelWait) {
		p.owner = nil
		c.line.push(w)
	}
}

func (p *condProgram) waitForToken(ctx context.Context, a *actor) {
	var w *modelWait // of one round
	err := p.tokens.WaitFor(ctx, func() bool {
		p.look()
		p.mustHold(a)
		if w != nil {
			a.end(w, nil)
			w = nil
		}
		if p.n > 0 {
			return true
		}
		w = a.begin(ctx, "wait for a token", 0, p.waitsAt(&p.tokens))
		return false
	})
	switch {
	case w != nil:
		p.look()
		a.end(w, err)
	case err != nil || p.n == 0:
		p.fail("#%d: WaitFor returned %v, and there are %d tokens", a.n, err, p.n)
	default:
		p.n--
	}
}

// join queues for the lock.
func (p *condProgram) join(w *modelWait) {
	p.arrivals++
	w.v = p.arrivals
	p.line.push(w)
}

func (p *condProgram) notify(c *modelCond, n int) {
	p.look()
	p.note(-1, "notify", n)
	for range n {
		if w := c.line.pop(); w != nil {
			w.joins = true
			p.join(w)
		}
	}
	c.Notify(n)
	p.check()
}

func (p *condProgram) finish(ctx context.Context) {
	if !p.lock.TryAcquire(ctx) {
		p.fail("nobody goes on, but the lock is %s", &p.lock)
		return
	}
	p.owner = &actor{n: -1}
	p.n += p.tokens.line.len()
	p.notify(&p.tokens, len(p.actors))
	p.notify(&p.plain, len(p.actors))
	p.owner = nil
	p.lock.Release()
	p.check()
}

// look finds out who has got the lock and who is on the way back to it.
func (p *condProgram) look() {
	for _, c := range []*modelCond{&p.plain, &p.tokens} {
		for _, w := range c.line {
			if w.cancelled() {
				w.v = p.arrivals // it comes after all those
				p.returning.push(w)
			}
		}
		c.line.len()
	}
	if owner := ownerIn(p.lock.String()); p.owner == nil && owner != "" {
		p.owner = p.grantee(owner)
		if p.owner == nil {
			p.fail("it was not the turn of %s to have the lock", owner)
		}
	}
	p.line.len()
}

// grantee is the task of that name, if it may have got the lock.
func (p *condProgram) grantee(name string) *actor {
	for i, w := range p.line {
		if w.a.task.Name() == name {
			p.line = slices.Delete(p.line, 0, i+1)
			w.settle(nil)
			return w.a
		}
		if !w.cancelled() {
			break // before this one only those could get it who are on their way back
		}
	}
	for i, w := range p.returning {
		if w.a.task.Name() == name && (p.line.len() == 0 || p.line[0].v > w.v) {
			p.returning = slices.Delete(p.returning, i, i+1)
			return w.a
		}
	}
	return nil
}

func (p *condProgram) mustHold(a *actor) {
	if p.owner != a {
		p.fail("#%d should hold the lock, which is %s", a.n, &p.lock)
	}
}

func (p *condProgram) check() {
	p.look()
	for _, c := range []*modelCond{&p.plain, &p.tokens} {
		_, own, _ := strings.Cut(c.Cond.String(), ">") // behind the lock
		if n := c.line.len(); countIn(own, "waiters") != n {
			p.fail("the condition is %s, want %d to wait", &c.Cond, n)
		}
	}
	if p.lock.Locked() != (p.owner != nil) || p.owner == nil && len(p.line) > 0 {
		p.fail("the lock is %s, and %d wait for it", &p.lock, len(p.line))
	}
}
