package asyncio_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/asyncio-go/asyncio"
)

// An actor is a task of a schedule.
type actor struct {
	*schedule
	n       int
	task    asyncio.AnyTask
	cause   error              // with which others cancel it
	stop    context.CancelFunc // cancels the innermost scope that it has made, or nil
	wait    *modelWait         // what it waits for at the moment, or nil
	began   bool
	ended   bool
	failed  bool      // and so its group has cancelled, before it ends, who awaits it there
	awaited modelLine // who awaits it
}

type actorCancelled struct{ n int }

func (c *actorCancelled) Error() string { return "cancelled by the schedule" }

func (s *schedule) actor() *actor {
	a := &actor{schedule: s, n: len(s.actors), cause: &actorCancelled{len(s.actors)}}
	s.actors = append(s.actors, a)
	return a
}

// handle is the task of an actor that runs as one without a value; or nil.
func (a *actor) handle() *asyncio.Task[struct{}] {
	t, _ := a.task.(*asyncio.Task[struct{}])
	return t
}

// run is the body of an actor's task.
func (a *actor) run(ctx context.Context) error {
	a.task, a.began = asyncio.CurrentTask(ctx), true
	defer a.ends()
	for range 1 + a.draw(6) {
		a.pause(ctx)
		if a.ending || ctx.Err() != nil && a.draw(2) == 0 {
			break
		}
		a.within(ctx, func(ctx context.Context) { a.prog.step(ctx, a) })
	}
	var err error
	if ctx.Err() != nil && a.draw(2) == 0 {
		err = asyncio.Yield(ctx)
	}
	a.prog.leave(a)
	return err
}

// ends is the last that a task does: now who awaits it goes on.
func (a *actor) ends() {
	a.note(a.n, "ends", 0)
	a.ended = true
	if !a.failed {
		a.awaited.grantAll()
	}
}

// pause lets others run, or not.
func (a *actor) pause(ctx context.Context) {
	if a.oneIn(4) {
		a.disturb()
	}
	var err error
	switch kind := a.draw(6); {
	case kind < 2:
		return
	case kind < 4:
		err = asyncio.Yield(ctx)
	default:
		err = asyncio.Sleep(ctx, a.moment())
	}
	if err != nil {
		a.mustBeCancelled(ctx, "a pause", err)
	}
}

// within calls f under ctx, a scope below it or one that it shares with others.
func (a *actor) within(ctx context.Context, f func(ctx context.Context)) {
	switch d := a.moment(); a.draw(12) {
	case 4:
		f(a.common)
	case 5:
		f(context.WithValue(ctx, contextKey(1), 1))
	case 6:
		err := asyncio.Timeout(ctx, d+time.Millisecond, func(ctx context.Context) error { f(ctx); return nil })
		if err != nil {
			a.fail("Timeout returned %v, and its function nil", err)
		}
	case 7:
		ctx, cancel := asyncio.WithTimeout(ctx, d)
		f(ctx)
		cancel()
	case 8, 9, 10:
		ctx, cancel := asyncio.WithCancel(ctx)
		outer := a.stop
		a.stop = cancel
		f(ctx)
		a.stop = outer
		cancel()
	case 11:
		a.within(ctx, func(ctx context.Context) { a.within(ctx, f) })
	default:
		f(ctx)
	}
}

// A modelWait is an operation that may wait, as the model sees it.
type modelWait struct {
	a       *actor
	ctx     context.Context
	what    string
	refused bool            // it was cancelled before it began
	joins   bool            // no cancellation ends it any more
	settled bool            // the model knows how it ends:
	err     error           // with this error, or nil
	v       int             // and with this value
	holders func() []*actor // who must all do something before it can end, if that is known
	circle  []*actor        // that it would close, from its own actor on
}

func (w *modelWait) cancelled() bool { return !w.joins && w.ctx.Err() != nil }

func (w *modelWait) settle(err error) { w.settled, w.err = true, err }

// A modelLine is who waits for one thing, in order of arrival. Who is cancelled
// leaves it.
type modelLine []*modelWait

func (l *modelLine) push(w *modelWait) { *l = append(*l, w) }

func (l *modelLine) len() int {
	*l = slices.DeleteFunc(*l, (*modelWait).cancelled)
	return len(*l)
}

// pop takes out who has waited longest; nil if nobody waits.
func (l *modelLine) pop() *modelWait {
	if l.len() == 0 {
		return nil
	}
	w := (*l)[0]
	*l = (*l)[1:]
	return w
}

// grant is pop of one that is granted what it waits for.
func (l *modelLine) grant() *modelWait {
	w := l.pop()
	if w != nil {
		w.settle(nil)
	}
	return w
}

func (l *modelLine) grantAll() {
	for l.grant() != nil {
	}
}

func (l *modelLine) failAll(err error) {
	for w := l.pop(); w != nil; w = l.pop() {
		w.settle(err)
	}
}

// await runs an operation that may wait, and holds it to the model, in which model
// either settles it or puts it in a line. Under a cancelled context the
// operation fails before it takes any effect.
func (a *actor) await(ctx context.Context, what string, arg int,
	model func(w *modelWait), op func(w *modelWait) error) *modelWait {
	w := a.begin(ctx, what, arg, model)
	a.end(w, op(w))
	return w
}

func (a *actor) begin(ctx context.Context, what string, arg int, model func(w *modelWait)) *modelWait {
	w := &modelWait{a: a, ctx: ctx, refused: ctx.Err() != nil, what: what}
	a.note(a.n, what, arg)
	if !w.refused {
		model(w)
	}
	a.wait = w
	return w
}

func (a *actor) end(w *modelWait, err error) {
	a.wait = nil
	a.note(a.n, w.what+": "+scheduleOutcome(err), w.v)
	switch {
	case w.settled && !errors.Is(err, w.err):
		a.fail("#%d: %s returned %v, want %v", a.n, w.what, err, w.err)
	case !w.settled && err == nil:
		a.fail("#%d: %s returned nil, but was not granted", a.n, w.what)
	case !w.settled:
		a.mustBeCancelled(w.ctx, w.what, err)
	}
	w.err = err
	w.mustTellCircle()
	a.prog.check()
}

// mustBeCancelled fails unless err is the cancellation of ctx.
func (s *schedule) mustBeCancelled(ctx context.Context, what string, err error) {
	var ce *asyncio.CancelledError
	if !errors.As(err, &ce) || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		s.fail("%s returned %v, and the error of its context is %v", what, err, ctx.Err())
	}
}

// awaitTask awaits b. If that fails in a group, or ends without having begun, the
// model does not see what comes first, its end or the cancellation of the waiter.
func (a *actor) awaitTask(ctx context.Context, b *actor) {
	a.await(ctx, "await", b.n, func(w *modelWait) {
		switch {
		case b.task.Done():
			w.settle(nil)
		case !w.closesCircle([]*actor{b}):
			w.holders = func() []*actor { return []*actor{b} }
			b.awaited.push(w)
		}
	}, func(w *modelWait) error {
		_, err := b.handle().Await(ctx)
		if w.refused || !b.task.Done() {
			return err
		}
		_, own := b.handle().Result()
		w.settled = w.settled || own == err && (!b.began || b.failed)
		if own == err && w.settled {
			return nil // the result of b, which may be a cancellation
		}
		return err
	})
}

// closesCircle settles w if it would close a circle, now that it is about to wait
// for the holders.
func (w *modelWait) closesCircle(holders []*actor) bool {
	w.circle = w.a.circle(holders)
	if w.circle != nil {
		w.settle(asyncio.ErrDeadlock)
	}
	return w.circle != nil
}

// circle is the shortest way from a, which is about to wait for the holders, over
// what others wait for back to a; nil if there is none.
func (a *actor) circle(holders []*actor) []*actor {
	ways := [][]*actor{{a}}
	seen := map[*actor]bool{}
	for len(ways) > 0 {
		way := ways[0]
		ways = ways[1:]
		if len(way) > 1 {
			holders = way[len(way)-1].wait.holders()
		}
		for _, b := range holders {
			if b == a {
				return way
			}
			if w := b.wait; w != nil && !w.settled && !w.cancelled() && w.holders != nil && !seen[b] {
				seen[b] = true
				ways = append(ways, append(slices.Clip(way), b))
			}
		}
	}
	return nil
}

// mustTellCircle fails if the error of w tells of another circle than the model has.
func (w *modelWait) mustTellCircle() {
	var de *asyncio.DeadlockError
	if !errors.As(w.err, &de) {
		return
	}
	if len(w.circle) != len(de.Circle) {
		w.a.fail("#%d: the circle has %d tasks, want %d: %v", w.a.n, len(de.Circle), len(w.circle), de)
		return
	}
	for i, info := range de.Circle {
		next := w.circle[(i+1)%len(w.circle)]
		if info.Task != w.circle[i].task || info.State == asyncio.Waiting && !slices.Contains(info.HeldBy, next.task) {
			w.a.fail("#%d: %d in the circle is %v, want #%d, and held by #%d", w.a.n, i, info, w.circle[i].n, next.n)
		}
	}
}
