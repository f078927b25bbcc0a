package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A Func is a program under test. It runs as the main task of a loop whose time,
// scheduling, network and faults are those of w. A run fails if it returns an error,
// if a task panics, if an error is lost that somebody should have retrieved, if every
// task waits and nothing can wake one, if an assertion or an invariant does not hold,
// or if it takes too many steps.
type Func = func(ctx context.Context, w *World) error

// play runs f once with the decisions of s.
func (c *campaign) play(s *schedule) *World {
	w := &World{s: s, campaign: c}
	w.clock.w, w.executor.w, w.net = w, w, newNetwork(w)
	if s.now = w.Now; s.names != nil {
		s.names.w = w
	}
	r := asyncio.Runner{
		Debug: asyncio.DebugOff,
		Options: asyncio.LoopOptions{
			Logger:           slog.New(lineHandler{w: w}),
			ExceptionHandler: w.heard,
			StallThreshold:   -1,
			Clock:            &w.clock,
			Executor:         &w.executor,
			Network:          &w.net,
			Chooser:          s,
			Fence:            w.fence,
		},
	}
	s.after = w.afterStep
	if c.cancels {
		w.victim = &victim{moment: c.moment}
		s.before = w.victim.beforeStep
	}
	s.watch(c.f)
	defer func() {
		s.alarm.Stop()
		w.over.Store(true)
	}()
	w.run(&r, c.f)
	return w
}

// run runs f and finds out how it ended.
func (w *World) run(r *asyncio.Runner, f Func) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *asyncio.PanicError:
			w.fail(KindPanic, p)
		default:
			w.fail(KindPanic, fmt.Errorf("panic: %v", p))
		}
	}()
	err := r.Run(context.WithValue(context.Background(), worldKey{}, w), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		w.loop = l
		w.ctx, w.cancel = asyncio.WithCancel(ctx)
		defer w.end()
		w.beginFaults()
		return f(w.ctx, w)
	})
	w.checkFence()
	if err != nil {
		kind := KindError
		if errors.Is(err, asyncio.ErrDeadlock) {
			kind = KindDeadlock
		}
		w.fail(kind, err)
	}
}

// afterStep is called after every step of the run.
func (w *World) afterStep(c asyncio.Candidate) {
	if w.victim != nil {
		w.victim.afterStep(c)
	}
	w.checkInvariants()
	w.checkFence()
	if w.s.over {
		w.fail(KindSteps, fmt.Errorf("it takes more than %d steps; raise Options.MaxSteps if that is right", w.s.maxSteps))
		w.loop.Stop()
		w.clock.past += time.Second // until the deadline of the shutdown strikes
	}
}
