package asyncio

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"weak"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// A Loop runs coroutines and callbacks, one at a time. [Run] makes one for as
// long as it takes; NewLoop makes one to be managed by hand. Close it.
//
// A loop is run by one goroutine at a time, and everything on it belongs to
// that goroutine. Only CallSoon, CallLater, CallAt, Stop, [Submit] and what
// merely tells something of the loop (Running, Closed, Now, Debug, Network,
// String) are safe to call from any goroutine, at any time.
type Loop struct {
	e       *engine
	cleanup runtime.Cleanup // warns if the loop is dropped without Close
}

// LoopOptions configures a loop. The zero value is right for most programs.
type LoopOptions struct {
	// Debug switches debug mode; the zero value leaves it to the environment.
	Debug DebugMode

	// Logger receives what the loop reports; nil means slog.Default().
	Logger *slog.Logger

	// ExceptionHandler is called on the loop with every error that nobody
	// else can be told; nil logs it. See [ExceptionContext].
	ExceptionHandler func(l *Loop, ec ExceptionContext)

	// ShutdownTimeout bounds how long the end of Run, or Close, waits for what
	// is left. Zero means 10 s, negative for ever.
	ShutdownTimeout time.Duration

	// SlowThreshold is how long a step or callback may take before debug mode
	// reports it when it is over. Zero means 100 ms, negative never.
	SlowThreshold time.Duration

	// StallThreshold is how long a step or callback may block the loop before
	// the watchdog reports it with its stack, while it blocks. Zero means 1 s,
	// in debug mode SlowThreshold; negative switches the watchdog off.
	StallThreshold time.Duration

	// Clock replaces the machine's clock; nil is the machine's.
	Clock Clock

	// Executor runs the functions of Blocking; nil means a goroutine each.
	Executor Executor

	// MaxBlocking bounds how many functions of Blocking run at a time; the
	// others wait. Zero means 64.
	MaxBlocking int

	// Network replaces the operating system's network for the packages that
	// do input and output, which say what it has to be; nil is the real one.
	Network any

	// Chooser makes scheduling decisions; nil means in order of arrival.
	Chooser Chooser

	// Fence keeps out whatever is outside of the loop, as a simulation needs it:
	// calls from other goroutines, functions on goroutines of their own (those of
	// Blocking apart, which the Executor runs), descriptors and signals. Each
	// attempt is refused, and Fence is called, on the goroutine that made it, with
	// an error that says what it was. The loop of a Fence is deadlocked as soon as
	// every task waits and no deadline is set: nothing could wake it.
	Fence func(err error)

	// OnWake tells the host of a loop that it drives with Step that there is
	// something new to run. It is called from any goroutine, at most once
	// between two calls of Step, and must not block or call Step itself.
	OnWake func()
}

// The defaults of LoopOptions, where they are not zero.
const (
	defaultShutdownTimeout = 10 * time.Second
	defaultSlowThreshold   = 100 * time.Millisecond
	defaultStallThreshold  = time.Second
	defaultMaxBlocking     = 64
)

var loopCount atomic.Int64

// NewLoop makes a loop that does not run yet. o may be nil. It is for programs
// that need the pieces of [Run] one by one; whoever calls it owes the loop a
// Close. A loop that is dropped without one is reported.
//
//go:noinline
func NewLoop(o *LoopOptions) *Loop {
	if o == nil {
		o = &LoopOptions{}
	}
	return newLoop(*o, gid.CallerPC())
}

func newLoop(o LoopOptions, pc uintptr) *Loop {
	e := &engine{opts: o, number: loopCount.Add(1), created: fileLine(pc), chooser: o.Chooser}
	e.watcher, _ = o.Chooser.(Watcher)
	e.defaults()
	e.startClock(o.Clock)
	e.inbox.wake = make(chan struct{}, 1)
	e.inbox.host = o.OnWake
	e.inbox.asleep = o.OnWake != nil
	e.given.Store(true)
	e.root = &scope{}
	e.root.begin(e, nil, nil, context.Background())
	e.setLabels()
	l := &Loop{e: e}
	e.handle = weak.Make(l)
	l.cleanup = runtime.AddCleanup(l, unclosed, unclosedLoop{e.String(), e.log})
	return l
}

func (e *engine) defaults() {
	o := &e.opts
	e.debug = o.Debug.on()
	if e.log = o.Logger; e.log == nil {
		e.log = slog.Default()
	}
	e.log = slog.New(guardedHandler{e.log.Handler()})
	setDefault(&o.ShutdownTimeout, defaultShutdownTimeout)
	setDefault(&o.SlowThreshold, defaultSlowThreshold)
	if e.debug {
		setDefault(&o.StallThreshold, o.SlowThreshold)
	}
	setDefault(&o.StallThreshold, defaultStallThreshold)
	if o.MaxBlocking <= 0 {
		o.MaxBlocking = defaultMaxBlocking
	}
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// unclosedLoop is what is known of a loop once it is collected.
type unclosedLoop struct {
	name string
	log  *slog.Logger
}

func unclosed(u unclosedLoop) {
	u.log.Warn("asyncio: unclosed event " + u.name + "; call Close when you are done with it")
}

// RunUntilComplete runs main as a task of l until it is done and returns its
// result. Other tasks stay on the loop, for a later run or for Close.
//
// Cancelling ctx cancels main, and what main started. If [Loop.Stop] ends the
// loop first, main stays on it and the error matches [ErrLoopStopped].
//
//go:noinline
func RunUntilComplete[T any](ctx context.Context, l *Loop, main func(ctx context.Context) (T, error)) (T, error) {
	mustFunc(main != nil, "RunUntilComplete")
	return runTask(ctx, l, &Task[T]{fn: main}, gid.CallerPC())
}

func runTask[T any](ctx context.Context, l *Loop, t *Task[T], pc uintptr) (T, error) {
	defer runtime.KeepAlive(l) // while it runs it is not unclosed
	if err := l.e.runMain(ctx, &t.task, t, pc); err != nil {
		var zero T
		return zero, err
	}
	return t.value, t.err
}

// runMain runs t as the main task of a run. A panic of t leaves it.
func (e *engine) runMain(ctx context.Context, t *task, face AnyTask, pc uintptr) error {
	if ctx == nil {
		panic(misuse(nil, "RunUntilComplete: the context is nil; pass context.Background()"))
	}
	if err := e.enter("RunUntilComplete"); err != nil {
		return err
	}
	defer e.leave()
	foreign := ctx
	if ctx.Done() == nil {
		foreign = nil
	}
	e.drain() // what was scheduled before comes first
	t.isMain = true
	defer func() { t.isMain = t.done }() // later nobody but a report would tell of it
	t.scope.begin(e, e.root, foreign, ctx)
	t.join(e, face, TaskOptions{}, pc)
	e.turns(func() bool { return t.done || e.stopping || e.deadlocked })
	switch {
	case !t.done && e.deadlocked:
		return fmt.Errorf("asyncio: RunUntilComplete: %w, and %s cannot be cancelled", ErrDeadlock, t.Name())
	case !t.done:
		return fmt.Errorf("asyncio: RunUntilComplete: %w: %s was stopped while %s was pending", ErrLoopStopped, e, t.Name())
	case t.state == Panicked:
		panic(t.err)
	}
	return nil
}

// RunForever runs the loop until [Loop.Stop]. After a Stop that came before,
// it runs one turn. Tasks that are not done stay on the loop.
func (l *Loop) RunForever() error {
	defer runtime.KeepAlive(l)
	e := l.e
	if err := e.enter("RunForever"); err != nil {
		return err
	}
	defer e.leave()
	e.turns(func() bool { return e.stopping || e.deadlocked })
	if e.deadlocked {
		return fmt.Errorf("asyncio: RunForever: %w, and they cannot be cancelled", ErrDeadlock)
	}
	return nil
}

// Step runs what is ready, once, without waiting, and returns when the loop
// wants to be stepped again: now, at the next deadline, or, if next is zero,
// when [LoopOptions.OnWake] is called, which may also come earlier. It is how
// a host that has a loop of its own, of a game or a window system, drives one.
// A step is one turn, and what it makes ready runs in the next: a host that has
// time left steps again while next is not after [Loop.Now].
func (l *Loop) Step() (next time.Time, err error) {
	defer runtime.KeepAlive(l)
	e := l.e
	if err := e.enter("Step"); err != nil {
		return time.Time{}, err
	}
	defer e.leave()
	e.nextCheck = e.steps // look at timers and descriptors
	e.turns(func() bool { return true })
	if e.ready.Len() > 0 {
		return e.wall(e.readClock()), nil
	}
	e.watchForHost()
	if !e.inbox.mayRest(nil) {
		return e.wall(e.readClock()), nil
	}
	if e.timers.Len() > 0 {
		next = e.wall(e.timers.Next())
	}
	return next, nil
}

// Stop ends RunForever, or RunUntilComplete, after the present turn. It is safe
// to call from any goroutine; before a run it makes the next one a single turn.
func (l *Loop) Stop() {
	e := l.e
	if e.owned() {
		e.stopping = true
	} else {
		e.inject(func() { e.stopping = true })
	}
}

// Running reports whether a goroutine runs the loop at the moment.
func (l *Loop) Running() bool { return l.e.state.Load() == loopRunning }

// Owned reports whether the calling goroutine runs the loop at the moment, as a
// task or a callback does: for functions that may be called from any goroutine, and
// that use CallSoon where it does not.
func (l *Loop) Owned() bool { return l.e.owned() }

// Closed reports whether the loop was closed.
func (l *Loop) Closed() bool { return l.e.state.Load() == loopClosed }

// Now is the time on the loop's clock, as the calling task reads it if that is a
// [LocalClock]. It is safe to call from any goroutine.
func (l *Loop) Now() time.Time { return l.e.shown(l.e.peekClock()) }

// Debug reports whether the loop is in debug mode.
func (l *Loop) Debug() bool { return l.e.debug }

// Network is what [LoopOptions] gave for it.
func (l *Loop) Network() any { return l.e.opts.Network }

// Context is the innermost scope of the task that runs: what an operation
// obeys that takes no ctx, such as the Read of a connection. It panics where
// no task of the loop runs, and in [NoAwait]: who asks is about to await.
func (l *Loop) Context() context.Context {
	e := l.e
	e.mustOwn("Loop.Context")
	if e.cur == nil {
		panic(misuse(nil, "Loop.Context: called from a plain callback, where no task runs"))
	}
	e.mustMayAwait("Loop.Context")
	return e.cur.coro.bracket
}

// String is the loop as asyncio prints one.
func (l *Loop) String() string {
	return fmt.Sprintf("<Loop %d running=%t closed=%t debug=%t created at %s>",
		l.e.number, l.Running(), l.Closed(), l.e.debug, l.e.created)
}

// enter makes the calling goroutine the one that runs the loop.
func (e *engine) enter(fn string) error {
	switch here := loopHere(); {
	case here == e:
		return fmt.Errorf("asyncio: %s: %w: %s; await in its tasks instead", fn, ErrLoopRunning, e)
	case here != nil:
		return fmt.Errorf("asyncio: %s: cannot run %s while %s is running on this goroutine: %w; "+
			"run it on a goroutine of its own", fn, e, here, ErrNestedRun)
	}
	if !e.state.CompareAndSwap(loopOpen, loopRunning) {
		if e.state.Load() == loopClosed {
			return fmt.Errorf("asyncio: %s: %w: %s; make a new one", fn, ErrLoopClosed, e)
		}
		return fmt.Errorf("asyncio: %s: %w: %s, on another goroutine; reach it with CallSoon or Submit", fn, ErrLoopRunning, e)
	}
	if e.opts.Fence == nil { // a simulation runs many loops, on its own goroutine
		locked := lockedThread()
		if err := e.sameThread(fn, locked); err != nil {
			e.state.Store(loopOpen)
			return err
		}
		e.thread = locked
	}
	e.takeOver()
	e.register()
	return nil
}

// takeOver makes the calling goroutine the loop's, at the start of a turn.
func (e *engine) takeOver() {
	if t := e.slot; t != nil { // a Goexit came between it and its turn
		e.ready.Push(t)
	}
	e.cur, e.slot, e.budget = nil, nil, 0
	e.g = gid.Current()
	e.busy.Store(true)
}

// leave puts the loop to rest. Nothing of the run stays but its tasks.
func (e *engine) leave() {
	e.stopping, e.deadlocked = false, false
	e.cur, e.g = nil, 0
	e.busy.Store(false)
	e.unregister()
	e.state.Store(loopOpen)
}

// sameThread refuses to resume coroutines where Go would end the process: the
// goroutine must have the thread lock that their maker had.
func (e *engine) sameThread(fn string, locked uintptr) error {
	if e.coros > 0 && e.thread != locked {
		return fmt.Errorf("asyncio: %s: %s has tasks that were started on a goroutine with another thread lock "+
			"(runtime.LockOSThread); run a loop always locked, on one goroutine, or always unlocked", fn, e)
	}
	return nil
}

// lockedThread identifies the calling goroutine if it is locked to its thread,
// and is 0 otherwise. Only a goroutine's own stack trace tells.
func lockedThread() uintptr {
	var buf [96]byte
	head, _, _ := strings.Cut(string(buf[:runtime.Stack(buf[:], false)]), "\n")
	if !strings.Contains(head, "locked to thread") {
		return 0
	}
	// The number, not the identity: that of a goroutine that has ended may be
	// another's, on another thread.
	n, _ := strconv.ParseUint(strings.Fields(head)[1], 10, 64)
	return uintptr(n)
}
