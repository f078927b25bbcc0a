package asyncio_test

import (
	"context"
	"slices"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// An awaitProgram awaits futures and tasks, one by one and several at a time.
type awaitProgram struct {
	passive
	futures []*modelFuture
	waits   []*jointWait
}

type modelFuture struct {
	*asyncio.Future[int]
	n    int
	line modelLine
}

// A jointWait is a wait for several, a call of Wait.
type jointWait struct {
	*modelWait
	mode asyncio.WaitMode
	on   []any // *actor or *modelFuture
}

func TestSchedules_Await(t *testing.T) { testSchedules(t, newAwaitProgram) }

func newAwaitProgram(s *schedule) scheduleProgram { return &awaitProgram{passive: passive{s}} }

func (p *awaitProgram) step(ctx context.Context, a *actor) {
	p.refill(ctx)
	switch kind := p.draw(12); {
	case kind < 3:
		p.awaitFuture(ctx, a)
	case kind < 5:
		if b := p.other(a); b != nil {
			a.awaitTask(ctx, b)
		}
	case kind < 8:
		p.waitFor(ctx, a)
	case kind < 10:
		p.asCompleted(ctx, a)
	default:
		p.poke()
	}
}

// refill sees to it that some futures are pending.
func (p *awaitProgram) refill(ctx context.Context) {
	for len(p.futures) < 3 {
		p.futures = append(p.futures, &modelFuture{Future: asyncio.NewFuture[int](ctx), n: len(p.futures)})
	}
	if f := p.futures[p.draw(3)]; f.Done() && p.draw(2) == 0 {
		p.futures[f.n] = &modelFuture{Future: asyncio.NewFuture[int](ctx), n: f.n}
	}
}

func (p *awaitProgram) other(a *actor) *actor {
	if b := p.actors[p.draw(len(p.actors))]; b != a && b.task != nil {
		return b
	}
	return nil
}

func (p *awaitProgram) awaitFuture(ctx context.Context, a *actor) {
	f := p.futures[p.draw(3)]
	a.await(ctx, "await future", f.n, func(w *modelWait) {
		if f.Done() {
			f.settle(w)
		} else {
			f.line.push(w)
		}
	}, func(w *modelWait) error {
		v, err := f.Await(ctx)
		if v != w.v {
			p.fail("#%d: the future has the value %d, want %d", a.n, v, w.v)
		}
		return err
	})
}

// settle ends w with what f ended with.
func (f *modelFuture) settle(w *modelWait) {
	v, err := f.Result()
	w.v = v
	w.settle(err)
}

// poke ends a future.
func (p *awaitProgram) poke() {
	if len(p.futures) > 0 {
		p.resolve(p.futures[p.draw(3)])
	}
}

func (p *awaitProgram) resolve(f *modelFuture) {
	if f.Done() {
		return
	}
	v := p.draw(4)
	p.note(-1, "set future", f.n)
	switch v {
	case 0:
		f.Cancel(errBoom)
	case 1:
		f.SetError(errBoom)
	default:
		f.SetResult(v)
	}
	for w := f.line.pop(); w != nil; w = f.line.pop() {
		f.settle(w)
	}
	if _, err := f.Result(); (err == nil) != (v > 1) {
		p.fail("future %d ended with %v", f.n, err)
	}
	p.settleWaits()
}

// finish ends the futures, and cancels who waits for one of several: that may be
// a circle, but is none for certain.
func (p *awaitProgram) finish(context.Context) {
	for _, f := range p.futures {
		p.resolve(f)
	}
	for _, w := range p.waits {
		if w.mode != asyncio.AllDone {
			w.a.task.Cancel(w.a.cause)
			p.cancel()
		}
	}
}

// leave is a's last word: who waits for it goes on.
func (p *awaitProgram) leave(a *actor) {
	a.ended = true
	p.settleWaits()
}

func (p *awaitProgram) settleWaits() {
	p.waits = slices.DeleteFunc(p.waits, func(w *jointWait) bool {
		if w.cancelled() {
			return true
		}
		if !w.met() {
			return false
		}
		w.settle(nil)
		return true
	})
}

// met reports whether what the Wait waits for has come.
func (w *jointWait) met() bool {
	left := 0
	for _, x := range w.on {
		done, failed := settledOf(x)
		if !done {
			left++
		} else if w.mode == asyncio.FirstDone || w.mode == asyncio.FirstError && failed {
			return true
		}
	}
	return left == 0
}

func settledOf(x any) (done, failed bool) {
	if a, isActor := x.(*actor); isActor {
		return a.ended || a.task.Done(), false // an actor is cancelled at the worst
	}
	f := x.(*modelFuture)
	if !f.Done() {
		return false, false
	}
	_, err := f.Result()
	return true, err == errBoom
}

func (w *jointWait) holders() (all []*actor) {
	for _, x := range w.on {
		if a, isActor := x.(*actor); isActor && !a.task.Done() {
			all = append(all, a)
		}
	}
	return all
}

func (p *awaitProgram) waitFor(ctx context.Context, a *actor) {
	joint := &jointWait{mode: asyncio.WaitMode(p.draw(3))}
	var ws []asyncio.Waiter
	for range 1 + p.draw(4) {
		f := p.futures[p.draw(3)]
		if b := p.other(a); b != nil {
			joint.on, ws = append(joint.on, b), append(ws, b.handle())
		} else {
			joint.on, ws = append(joint.on, f), append(ws, f)
		}
	}
	a.await(ctx, "wait", int(joint.mode), func(w *modelWait) {
		joint.modelWait = w
		switch {
		case joint.met():
			w.settle(nil)
		case joint.mode != asyncio.AllDone:
			p.waits = append(p.waits, joint)
		case !w.closesCircle(joint.holders()):
			w.holders = joint.holders
			p.waits = append(p.waits, joint)
		}
	}, func(w *modelWait) error {
		done, pending, err := asyncio.Wait(ctx, joint.mode, ws...)
		p.mustBeSplit(ws, done, pending)
		if err == nil && !w.refused && joint.met() {
			w.settled = true // also by a task that ended without having begun
		}
		return err
	})
}

// mustBeSplit fails unless the lists that Wait returned are those of what is done
// and what is not.
func (p *awaitProgram) mustBeSplit(ws, done, pending []asyncio.Waiter) {
	for _, w := range ws {
		list := &pending
		if w.Done() {
			list = &done
		}
		if len(*list) == 0 || (*list)[0] != w {
			p.fail("Wait put %v into the wrong list or place", w)
			return
		}
		*list = (*list)[1:]
	}
	if len(done)+len(pending) > 0 {
		p.fail("Wait returned more than it was given: %v, %v", done, pending)
	}
}

// asCompleted ranges over tasks of its own in the order in which they end.
func (p *awaitProgram) asCompleted(ctx context.Context, a *actor) {
	var tasks []*asyncio.Task[int]
	var order []int
	var w *modelWait
	for n := range 1 + p.draw(4) {
		d := p.moment()
		tasks = append(tasks, asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			err := asyncio.Sleep(ctx, d)
			order = append(order, n+1)
			if w != nil && !w.settled && !w.cancelled() {
				w.settle(nil)
			}
			return n + 1, err
		}))
	}
	a.pause(ctx)
	slices.Sort(order) // those that are done before come in the order in which they are given
	seen := 0
	next := func() *modelWait {
		return a.begin(ctx, "next of completed", seen, func(w *modelWait) {
			if seen < len(order) {
				w.settle(nil)
			}
		})
	}
	w = next()
	for v, err := range asyncio.AsCompleted(ctx, tasks...) {
		switch {
		case v > 0 && (w.refused || order[seen] != v):
			p.fail("#%d: AsCompleted yields %d, and the order is %v", a.n, v, order)
		case v > 0:
			seen++
			err = nil
		}
		a.end(w, err)
		if w = nil; v == 0 || p.draw(3) == 0 {
			return
		}
		a.pause(ctx)
		if seen < len(tasks) {
			w = next()
		}
	}
	if seen != len(tasks) {
		p.fail("#%d: AsCompleted yields %d of %d", a.n, seen, len(tasks))
	}
}
