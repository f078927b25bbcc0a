package asyncio_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// A lockProgram takes one to three locks in any order and gives them back in any
// other, so that circles close; some tasks end without giving theirs back.
type lockProgram struct {
	passive
	locks []*modelLock
}

type modelLock struct {
	asyncio.Lock
	n     int
	owner *actor
	lost  bool // its owner has ended
	line  modelLine
}

func TestSchedules_Lock(t *testing.T) { testSchedules(t, newLockProgram) }

func newLockProgram(s *schedule) scheduleProgram {
	p := &lockProgram{passive: passive{s}}
	for n := range 1 + s.draw(3) {
		p.locks = append(p.locks, &modelLock{n: n})
	}
	return p
}

func (p *lockProgram) step(ctx context.Context, a *actor) {
	l := p.locks[p.draw(len(p.locks))]
	switch kind := p.draw(10); {
	case l.owner == a && kind < 8:
		p.release(a, l)
	case kind < 4:
		p.acquire(ctx, a, l)
	case kind == 4:
		p.acquire(context.WithoutCancel(ctx), a, l)
	case kind == 5:
		p.try(ctx, a, l)
	case kind < 8:
		p.do(ctx, a, l)
	case kind == 8:
		if b := p.actors[p.draw(len(p.actors))]; b != a && b.task != nil {
			a.awaitTask(ctx, b)
		}
	}
}

// want is the model's part of an Acquire.
func (l *modelLock) want(w *modelWait) {
	switch {
	case l.owner == nil:
		l.grant(w)
	case l.lost:
		l.tellLost(w)
	case !w.closesCircle(l.holders()):
		w.holders = l.holders
		l.line.push(w)
	}
}

// tellLost has w fail, because the owner of the lock has ended.
func (l *modelLock) tellLost(w *modelWait) {
	w.circle = []*actor{w.a, l.owner}
	w.settle(asyncio.ErrDeadlock)
}

func (l *modelLock) holders() []*actor { return []*actor{l.owner} }

func (l *modelLock) grant(w *modelWait) {
	l.owner = w.a
	w.settle(nil)
}

// pass is the model's part of a Release.
func (l *modelLock) pass() {
	l.owner = nil
	if next := l.line.pop(); next != nil {
		l.grant(next)
	}
}

func (p *lockProgram) acquire(ctx context.Context, a *actor, l *modelLock) {
	a.await(ctx, "acquire", l.n, l.want, func(*modelWait) error { return l.Acquire(ctx) })
}

func (p *lockProgram) try(ctx context.Context, a *actor, l *modelLock) {
	free := l.owner == nil
	p.note(a.n, "try", l.n)
	if l.TryAcquire(ctx) != free {
		p.fail("#%d: TryAcquire(%d) did not return %v", a.n, l.n, free)
	}
	if free {
		l.owner = a
	}
	p.check()
}

func (p *lockProgram) do(ctx context.Context, a *actor, l *modelLock) {
	a.await(ctx, "do", l.n, l.want, func(w *modelWait) error {
		return l.Do(ctx, func(ctx context.Context) error {
			a.wait = nil
			if !w.settled || l.owner != a {
				p.fail("#%d: Do(%d) runs, but the lock was not granted", a.n, l.n)
			}
			p.check()
			a.pause(ctx)
			if other := p.locks[p.draw(len(p.locks))]; p.oneIn(3) {
				p.do(ctx, a, other)
			}
			l.pass()
			return nil
		})
	})
}

func (p *lockProgram) release(a *actor, l *modelLock) {
	p.note(a.n, "release", l.n)
	l.pass()
	l.Release()
	p.check()
}

// leave releases what a holds, or at random does not: then whoever waits is told
// as soon as a has ended.
func (p *lockProgram) leave(a *actor) {
	var kept []*modelLock
	for _, l := range p.locks {
		switch {
		case l.owner != a:
		case p.oneIn(12):
			kept = append(kept, l)
		default:
			p.release(a, l)
		}
	}
	for _, l := range kept {
		p.note(a.n, "keeps", l.n)
		p.logs = append(p.logs, "Lock was never released")
		l.lost = true
		for w := l.line.pop(); w != nil; w = l.line.pop() {
			l.tellLost(w)
		}
	}
}

func (p *lockProgram) check() {
	for _, l := range p.locks {
		owner, n := "", l.line.len()
		if l.owner != nil {
			owner = l.owner.task.Name()
		}
		if got := l.String(); ownerIn(got) != owner || countIn(got, "waiters") != n || l.Locked() != (owner != "") {
			p.fail("lock %d is %s, want it to be held by %q, and %d to wait", l.n, got, owner, n)
		}
		if n > 0 && l.owner == nil {
			p.fail("%d wait for lock %d, which nobody holds", n, l.n)
		}
	}
}

// countIn is the number of what in the text of a primitive, as in waiters=2.
func countIn(text, what string) (n int) {
	_, digits, _ := strings.Cut(text, " "+what+"=")
	for digits != "" && '0' <= digits[0] && digits[0] <= '9' {
		n = 10*n + int(digits[0]-'0')
		digits = digits[1:]
	}
	return n
}

// ownerIn is the name of the task that holds a lock in the text of that.
func ownerIn(text string) string {
	_, owner, _ := strings.Cut(strings.TrimSuffix(text, ">"), " locked by ")
	owner, _, _ = strings.Cut(owner, " ")
	return owner
}

// A semaphoreProgram takes permits, and gives them back or leaves that to others.
type semaphoreProgram struct {
	passive
	real  *asyncio.Semaphore
	size  int
	free  int
	held  []*actor // of each permit that an actor has
	loose int      // permits that nobody in particular has to give back
	line  modelLine
}

func TestSchedules_Semaphore(t *testing.T) { testSchedules(t, newSemaphoreProgram) }

func newSemaphoreProgram(s *schedule) scheduleProgram {
	n := 1 + s.draw(4)
	return &semaphoreProgram{passive: passive{s}, real: asyncio.NewSemaphore(n), size: n, free: n}
}

func (p *semaphoreProgram) step(ctx context.Context, a *actor) {
	has := slices.Contains(p.held, a)
	switch kind := p.draw(10); {
	case has && kind < 4:
		p.drop(a)
		p.release()
	case has && kind == 4:
		p.drop(a)
		p.loose++
	case kind < 7:
		a.await(ctx, "acquire", p.free, p.want, func(*modelWait) error { return p.real.Acquire(ctx) })
	case kind == 7:
		p.try(ctx, a)
	default:
		p.do(ctx, a)
	}
}

func (p *semaphoreProgram) want(w *modelWait) {
	if p.free == 0 {
		p.line.push(w)
		return
	}
	p.free--
	p.grant(w)
}

func (p *semaphoreProgram) grant(w *modelWait) {
	p.held = append(p.held, w.a)
	w.settle(nil)
}

func (p *semaphoreProgram) try(ctx context.Context, a *actor) {
	p.note(a.n, "try", p.free)
	if got := p.real.TryAcquire(ctx); got != (p.free > 0) {
		p.fail("#%d: TryAcquire returned %v, but %d are free", a.n, got, p.free)
	} else if got {
		p.free--
		p.held = append(p.held, a)
	}
	p.check()
}

func (p *semaphoreProgram) do(ctx context.Context, a *actor) {
	a.await(ctx, "do", p.free, p.want, func(w *modelWait) error {
		return p.real.Do(ctx, func(ctx context.Context) error {
			a.wait = nil
			if !w.settled {
				p.fail("#%d: Do runs, but the permit was not granted", a.n)
			}
			a.pause(ctx)
			p.drop(a)
			p.pass()
			return nil
		})
	})
}

// drop takes a permit from a.
func (p *semaphoreProgram) drop(a *actor) {
	i := slices.Index(p.held, a)
	p.held = slices.Delete(p.held, i, i+1)
}

// pass gives a permit to the next, or back.
func (p *semaphoreProgram) pass() {
	if next := p.line.pop(); next != nil {
		p.grant(next)
	} else {
		p.free++
	}
}

func (p *semaphoreProgram) release() {
	p.note(-1, "release", p.free)
	p.pass()
	p.real.Release()
	p.check()
}

func (p *semaphoreProgram) poke() {
	if p.loose > 0 {
		p.loose--
		p.release()
	}
}

func (p *semaphoreProgram) leave(a *actor) {
	for slices.Contains(p.held, a) {
		p.drop(a)
		p.release()
	}
}

// finish gives back what those have who wait for more.
func (p *semaphoreProgram) finish(context.Context) {
	p.loose += len(p.held)
	p.held = nil
	for p.loose > 0 {
		p.poke()
	}
}

func (p *semaphoreProgram) check() {
	n := p.line.len()
	if got := p.real.String(); countIn(got, "waiters") != n || p.real.Free() != p.free {
		p.fail("the semaphore is %s, want %d free, and %d to wait", got, p.free, n)
	}
	if p.free+len(p.held)+p.loose != p.size {
		p.fail("%d free, %d held, %d loose of %d permits", p.free, len(p.held), p.loose, p.size)
	}
	if n > 0 && p.free > 0 {
		p.fail("%d wait for %d free permits", n, p.free)
	}
}
