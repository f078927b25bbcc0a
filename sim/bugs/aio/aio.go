// Package aio is bugs that asyncio and the libraries around it have had, expressed again
// with the primitives of this module. Each kernel writes out the lock, queue, pool or
// client that has the bug, and differs from its repaired version by a few lines.
package aio

import (
	"context"
	"errors"
	"slices"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

// All are the bugs of this package.
func All() []bugs.Bug {
	return slices.Concat(locks(), semaphores(), conditions(), queues(), timeouts(), groups(), pools(), leaks(), clients())
}

// pair is a bug whose kernel is told whether to be the repaired version.
func pair(name, from, what string, kernel func(fixed bool) sim.Func) bugs.Bug {
	return bugs.Bug{Name: name, From: from, What: what, Buggy: kernel(false), Fixed: kernel(true)}
}

// A waiter is a future that one task awaits, by asyncio's rules: a task that is
// cancelled cancels its future at once, and one that is cancelled after its future was
// done, and before it has run, gets the cancellation all the same.
type waiter struct {
	ctx context.Context
	f   *asyncio.Future[struct{}]
}

func newWaiter(ctx context.Context) *waiter {
	return &waiter{ctx, asyncio.NewFuture[struct{}](ctx)}
}

// woken reports whether the waiter was woken before it was cancelled.
func (w *waiter) woken() bool { return w.f.Done() }

// cancelled reports whether it was cancelled and not woken.
func (w *waiter) cancelled() bool { return !w.f.Done() && w.ctx.Err() != nil }

func (w *waiter) done() bool { return w.f.Done() || w.ctx.Err() != nil }

// wake wakes the waiter, unless it is done.
func (w *waiter) wake() (woken bool) {
	if w.done() {
		return false
	}
	w.f.SetResult(struct{}{})
	return true
}

func (w *waiter) wait() error {
	if _, err := w.f.Await(w.ctx); err != nil {
		return err
	}
	return context.Cause(w.ctx)
}

// without is list without w.
func without(list []*waiter, w *waiter) []*waiter {
	return slices.DeleteFunc(list, func(x *waiter) bool { return x == w })
}

// A task is what a kernel runs, and its name in reports.
type task struct {
	name string
	run  func(ctx context.Context) error
}

// cancelFirst runs the tasks and, behind them, one that cancels the first. It returns the
// first error that is no cancellation of the first.
func cancelFirst(ctx context.Context, tasks ...task) error { return cancelFirstAfter(ctx, 0, tasks...) }

// cancelFirstAfter is cancelFirst after so many turns.
func cancelFirstAfter(ctx context.Context, turns int, tasks ...task) error {
	var running []*asyncio.Task[struct{}]
	for _, t := range tasks {
		running = append(running, spawn(ctx, t))
	}
	running = append(running, spawn(ctx, task{"canceller", func(ctx context.Context) error {
		err := yields(ctx, turns)
		running[0].Cancel(nil)
		return err
	}}))
	return join(ctx, running, 0)
}

// together runs the tasks and returns the first error of one.
func together(ctx context.Context, tasks ...task) error {
	var running []*asyncio.Task[struct{}]
	for _, t := range tasks {
		running = append(running, spawn(ctx, t))
	}
	return join(ctx, running, -1)
}

func spawn(ctx context.Context, t task) *asyncio.Task[struct{}] {
	return asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: t.name}, asyncio.Void(t.run))
}

// join awaits all, of which one may have been cancelled.
func join(ctx context.Context, running []*asyncio.Task[struct{}], victim int) (first error) {
	for i, t := range running {
		_, err := t.Await(ctx)
		if i == victim && errors.Is(err, context.Canceled) {
			continue
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// yields gives up so many turns.
func yields(ctx context.Context, n int) error {
	for range n {
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
	}
	return nil
}
