package asyncio

import (
	"context"
	"errors"
	"fmt"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// Run runs a program on an event loop of its own and returns main's result:
//
//  1. it refuses to nest: on a goroutine that runs a loop it returns [ErrNestedRun];
//  2. it makes a loop;
//  3. starts main as a task under ctx, whose cancellation cancels main;
//  4. and turns the loop until main is done.
//  5. Then it cancels every task that is left, in order of creation, and turns
//     the loop until they are gone, and those that they start meanwhile;
//  6. closes all asynchronous generators;
//  7. waits for the functions of [Blocking] that still run;
//  8. and closes the loop.
//
// Steps 5 to 8 happen however main ends: with a value, an error, a panic, which
// Run passes on with the stack it had, or [runtime.Goexit]. They share
// [LoopOptions.ShutdownTimeout]. What is left then is reported, unwound by
// force, and named in a [ShutdownError] that Run returns beside main's error.
// So once main has returned, nothing that awaits can hang Run, and no goroutine
// is left behind but one that blocks outside of an await. For main itself Run
// waits without limit, also after ctx is cancelled.
//
// Run belongs at the top of a program: libraries offer functions that take a
// ctx, and the application runs them. Other goroutines may run loops of their
// own at the same time.
//
//go:noinline
func Run[T any](ctx context.Context, main func(ctx context.Context) (T, error)) (T, error) {
	mustFunc(main != nil, "Run")
	return runOn(ctx, &Runner{}, &Task[T]{fn: main}, gid.CallerPC())
}

// RunWith is [Run] with the options of r, on the loop that [Runner.Loop]
// returns. A nil r is the zero Runner.
//
//go:noinline
func RunWith[T any](ctx context.Context, r *Runner, main func(ctx context.Context) (T, error)) (T, error) {
	mustFunc(main != nil, "RunWith")
	if r == nil {
		r = &Runner{}
	}
	return runOn(ctx, r, &Task[T]{fn: main}, gid.CallerPC())
}

// A Runner configures Run and can be used again and again. Each run has a loop
// of its own, so that nothing of one is seen by the next. Its methods must not
// be called from several goroutines at once.
type Runner struct {
	// Debug switches debug mode. It is Options.Debug, which it overrides
	// unless it is zero, where most look for it.
	Debug DebugMode

	// Options are those of the loops.
	Options LoopOptions

	intake *intake // Main's
	loop   *Loop   // of the present or next run, once there is one
	closed bool
}

// Run runs main as [RunWith] does.
//
//go:noinline
func (r *Runner) Run(ctx context.Context, main func(ctx context.Context) error) error {
	mustFunc(main != nil, "Runner.Run")
	_, err := runOn(ctx, r, &Task[struct{}]{plain: main}, gid.CallerPC())
	return err
}

// Loop is the loop of the present run or, between runs, of the next: to hand
// to other goroutines, or to schedule calls on beforehand.
//
//go:noinline
func (r *Runner) Loop() (*Loop, error) { return r.takeLoop("Loop", gid.CallerPC()) }

// Close closes the loop if there is one. The runner cannot be used after that.
// Closing it twice does nothing.
func (r *Runner) Close() error {
	r.closed = true
	l := r.loop
	if l == nil {
		return nil
	}
	err := l.Close()
	if !errors.Is(err, ErrLoopRunning) {
		r.loop = nil
	}
	return err
}

func (r *Runner) takeLoop(fn string, pc uintptr) (*Loop, error) {
	if r.closed {
		return nil, fmt.Errorf("asyncio: Runner.%s: %w; use a new Runner", fn, ErrRunnerClosed)
	}
	if r.loop == nil {
		o := r.Options
		if r.Debug != DebugFromEnv {
			o.Debug = r.Debug
		}
		r.loop = newLoop(o, pc)
		r.loop.e.intake = r.intake
		r.loop.e.given.Store(fn == "Loop")
	}
	return r.loop, nil
}

func runOn[T any](ctx context.Context, r *Runner, main *Task[T], pc uintptr) (v T, err error) {
	if ctx == nil {
		panic(misuse(nil, "Run: the context is nil; pass context.Background()"))
	}
	if here := loopHere(); here != nil {
		return v, fmt.Errorf("%w: %s; await the function directly, main(ctx), "+
			"or start it with Go or Spawn", ErrNestedRun, here)
	}
	l, err := r.takeLoop("Run", pc)
	if err != nil {
		return v, err
	}
	if l.Running() {
		return v, fmt.Errorf("asyncio: Runner.Run: %w: %s, in another run of this Runner; use one Runner a goroutine",
			ErrLoopRunning, l.e)
	}
	defer func() {
		r.loop = nil
		if left := l.Close(); left != nil {
			err = errors.Join(err, left)
		}
	}()
	return runTask(ctx, l, main, pc)
}
