package asyncio

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"github.com/asyncio-go/asyncio/internal/list"
)

// An Executor runs the functions of [Blocking] off the loop.
type Executor interface {
	// Execute arranges for f to be called once, on another goroutine, and
	// returns without waiting for it. It is called on the loop; the loop
	// bounds how many functions it has under way.
	Execute(f func())
}

// Blocking runs f on another goroutine and waits for it, so that a call that
// blocks does not block the loop. At most [LoopOptions.MaxBlocking] functions
// run at a time; the others wait their turn.
//
// f receives ctx and should return when it is cancelled: Blocking itself waits
// until f has returned, so that nothing that f uses is used behind its back.
// Only while f waits for its turn does a cancellation end the wait; f then never
// runs. A panic of f is carried over to the caller.
//
// f must not await: it is not on the loop. It may call Run for a loop of its
// own.
func Blocking[T any](ctx context.Context, f func(ctx context.Context) (T, error)) (T, error) {
	return blocking(ctx, f, "Blocking", false)
}

// Abandonable is [Blocking] for a function that cannot be interrupted: when ctx
// is cancelled it returns at once and leaves f to itself. What f returns then
// is lost, and a panic of f is reported. The loop still waits for f when it is
// closed, within the shutdown timeout.
func Abandonable[T any](ctx context.Context, f func(ctx context.Context) (T, error)) (T, error) {
	return blocking(ctx, f, "Abandonable", true)
}

func blocking[T any](ctx context.Context, f func(context.Context) (T, error), fn string, abandon bool) (v T, err error) {
	mustFunc(f != nil, fn)
	a, err := newAwait(ctx, fn)
	if err != nil {
		return v, err
	}
	var result struct { // the goroutine's own, until it is done
		v   T
		err error
	}
	j := &job{e: a.t.scope.e, task: a.t, fn: f}
	j.call = func() { result.v, result.err = f(ctx) }
	if err := j.perform(a, fn, abandon); err != nil {
		return v, err
	}
	return result.v, result.err
}

// executor is the loop's side of Blocking: all of it belongs to the loop.
type executor struct {
	jobs    list.List[job] // not done
	queue   list.List[job] // those that wait for their turn
	running int
}

// A job is one call of Blocking.
type job struct {
	e     *engine
	task  *task // who waits for it; nil once nobody does
	fn    any
	call  func()
	node  list.Node[job]
	place list.Node[job] // in the queue
	done  bool

	began    atomic.Bool
	panicked *PanicError
	goexited bool
}

// perform has j run and waits for it.
func (j *job) perform(a await, fn string, abandon bool) error {
	x := &j.e.executor
	x.jobs.PushBack(&j.node, j)
	x.queue.PushBack(&j.place, j)
	j.e.startJobs()
	defer func() {
		j.task = nil
		if j.place.Linked() { // its turn never came
			j.place.Remove()
			j.node.Remove()
		}
	}()
	if j.done {
		return j.outcome()
	}
	if err := a.park(fn); err != nil {
		switch {
		case j.place.Linked():
			return err
		case j.done:
		case abandon:
			if j.e.debug {
				j.e.log.Warn(fmt.Sprintf("asyncio: the function %s outlives its caller %s", funcName(j.fn), a.t.Name()))
			}
			return err
		default:
			a.join(fn)
		}
	}
	return j.outcome()
}

// outcome carries over the way in which the function ended.
func (j *job) outcome() error {
	if j.panicked != nil {
		panic(j.panicked)
	}
	if j.goexited {
		runtime.Goexit()
	}
	return nil
}

// startJobs runs as many of the queued functions as may run at a time.
func (e *engine) startJobs() {
	x := &e.executor
	for x.running < e.opts.MaxBlocking && !x.queue.Empty() {
		j := x.queue.Front()
		j.place.Remove()
		x.running++
		e.active++
		if e.opts.Executor == nil {
			go j.run()
		} else {
			j.execute(e.opts.Executor)
		}
	}
}

// execute gives the job to an Executor. If that panics, the job's caller is told.
func (j *job) execute(x Executor) {
	accepted := false
	defer func() {
		if accepted || !j.began.CompareAndSwap(false, true) {
			return // or it runs all the same
		}
		if r := recover(); r != nil {
			j.panicked = &PanicError{Value: r, Stack: debug.Stack(), where: "the Executor"}
		} else {
			j.goexited = true
		}
		j.finish()
	}()
	x.Execute(j.run)
	accepted = true
}

// run calls the function, on its goroutine.
func (j *job) run() {
	if !j.began.CompareAndSwap(false, true) {
		panic(misuse(nil, "Executor: a function was called twice"))
	}
	returned := false
	defer func() {
		if !returned {
			if r := recover(); r != nil {
				j.panicked = &PanicError{Value: r, Stack: debug.Stack(), where: "the function " + funcName(j.fn)}
			} else {
				j.goexited = true
			}
		}
		j.e.injectCall(injected{run: j.finish, completion: true})
	}()
	j.call()
	returned = true
}

// finish is back on the loop.
func (j *job) finish() {
	e := j.e
	e.executor.running--
	e.active--
	j.done = true
	j.node.Remove()
	e.startJobs()
	if j.task != nil {
		j.task.wake()
	} else if j.panicked != nil {
		e.report(ExceptionContext{Message: "Exception in abandoned function", Err: j.panicked, Object: funcName(j.fn)})
	}
}
