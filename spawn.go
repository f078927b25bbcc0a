package asyncio

import (
	"context"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// TaskOptions says how a task is started. The zero value is what [Spawn] does.
type TaskOptions struct {
	// Name names the task in reports; empty makes up Task-1, Task-1-3.
	Name string

	// Eager runs the task's first step at once, inside the call that starts
	// it, instead of in the next turn. A task that never waits is then done
	// when that call returns.
	Eager bool

	// Group makes the task one of a [TaskGroup]: its scope lies below the group's
	// then, not below ctx. Eager is ignored while the group holds the task back.
	Group *TaskGroup
}

// Spawn starts f as a task of the loop of ctx and returns it. f begins to run
// in the loop's next turn, after the caller's next await; its ctx is a scope
// below ctx, so that cancelling ctx cancels the task.
//
// The loop keeps the task until it is done; Run cancels and awaits what is
// left when main returns. An error of f that nobody awaits is reported.
//
// Spawn must be called on the loop: from another goroutine use [Submit]. f must
// not await while it has locked its thread with [runtime.LockOSThread]: Go ends
// the process when a coroutine is switched to with another lock than it was
// made with.
//
//go:noinline
func Spawn[T any](ctx context.Context, f func(ctx context.Context) (T, error)) *Task[T] {
	mustFunc(f != nil, "Spawn")
	t := &Task[T]{fn: f}
	t.spawn(loopOf(ctx, "Spawn"), ctx, t, TaskOptions{}, gid.CallerPC(), "Spawn")
	return t
}

// SpawnWith is [Spawn] with options.
//
//go:noinline
func SpawnWith[T any](ctx context.Context, o TaskOptions, f func(ctx context.Context) (T, error)) *Task[T] {
	mustFunc(f != nil, "SpawnWith")
	t := &Task[T]{fn: f}
	if o.Group != nil {
		o.Group.add(&t.task, t, o, gid.CallerPC(), "SpawnWith")
		return t
	}
	t.spawn(loopOf(ctx, "SpawnWith"), ctx, t, o, gid.CallerPC(), "SpawnWith")
	return t
}

// Go is [Spawn] for a function that returns only an error.
//
//go:noinline
func Go(ctx context.Context, f func(ctx context.Context) error) *Task[struct{}] {
	mustFunc(f != nil, "Go")
	t := &Task[struct{}]{plain: f}
	t.spawn(loopOf(ctx, "Go"), ctx, t, TaskOptions{}, gid.CallerPC(), "Go")
	return t
}

// spawn starts t, whose generic part is face, below ctx.
func (t *task) spawn(e *engine, ctx context.Context, face AnyTask, o TaskOptions, pc uintptr, fn string) {
	e.mustOwn(fn)
	t.scope.derive(e, ctx, fn)
	t.join(e, face, o, pc)
}

// join makes t, whose scope has begun, a task of the loop that runs.
func (t *task) join(e *engine, face AnyTask, o TaskOptions, pc uintptr) {
	t.enroll(e, face, o, pc)
	if o.Eager && t.scope.state.Load() == nil {
		e.resumeEager(t)
		return
	}
	t.makeReady()
}

// enroll makes t a task of the loop that does not run yet.
func (t *task) enroll(e *engine, face AnyTask, o TaskOptions, pc uintptr) {
	t.face = face
	t.identify(e, o.Name)
	t.made = pc
	if e.debug {
		t.debug = &taskDebug{chain: e.spawnChain()}
	}
	e.tasks.PushBack(&t.node, t)
	if e.closing {
		t.scope.cancel(newCancellation(context.Canceled, errShutdown))
	}
}

// step implements runnable.
func (t *task) step() {
	e := t.scope.e
	switch {
	case t.doom != spared:
		e.resumeDoomed(t)
	case t.coro == nil && t.scope.isCancelled():
		t.finish(t.scope.cancelled()) // before its first step
	default:
		e.resume(t)
	}
}

// mayResume reports whether a ready task's step is nothing but a switch to it.
func (t *task) mayResume() bool {
	return t.doom == spared && (t.coro != nil || t.scope.state.Load() == nil && t.scope.from.foreign == nil)
}

// takeFresh lets a coroutine whose task has ended go on with the next one of
// this turn, if that has not started yet: that saves two switches. It reports
// whether there was one.
func (e *engine) takeFresh(c *coro) bool {
	if e.budget == 0 || e.slot != nil || e.chooser != nil || e.debug {
		return false
	}
	t, ok := e.ready.At(0).(*task)
	if !ok || t.coro != nil || !t.mayResume() {
		return false
	}
	e.ready.Pop()
	e.budget--
	e.steps++
	c.take(t)
	t.state, e.cur = Running, t
	return true
}

// CurrentTask is the task that is running on the loop of ctx, or nil where
// none is: in a plain callback, on another goroutine, or if ctx is of no loop. So what
// logs or traces may ask it anywhere.
func CurrentTask(ctx context.Context) AnyTask {
	s := scopeOf(ctx)
	if s == nil || !s.e.owned() || s.e.cur == nil {
		return nil
	}
	return s.e.cur.face
}

// RunningLoop is the loop of ctx, which runs on the calling goroutine. Where
// none does it fails with an error that matches [ErrNoLoop]: ask on the loop,
// and hand the loop to the goroutines that need it.
func RunningLoop(ctx context.Context) (*Loop, error) {
	s := scopeOf(ctx)
	if s == nil {
		return nil, misuse(ErrNoLoop, "RunningLoop: no running event loop in this context; "+
			"pass the ctx that your coroutine was given")
	}
	if !s.e.owned() {
		return nil, misuse(ErrNoLoop, "RunningLoop: no running event loop on this goroutine; "+
			"call it on %s and hand the result over", s.e)
	}
	l := s.e.handle.Value()
	if l == nil {
		return nil, misuse(ErrLoopClosed, "RunningLoop: %s was dropped without Close", s.e)
	}
	s.e.given.Store(true)
	return l, nil
}
