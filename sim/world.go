package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A World is what a simulated program runs in: its time, its network, its hosts, its
// faults. Each run has a new one. Its methods belong to the run's loop.
type World struct {
	s        *schedule
	loop     *asyncio.Loop
	clock    Clock
	executor executor
	net      Network
	campaign *campaign
	ctx      context.Context    // of f
	cancel   context.CancelFunc // of f

	settling   []*asyncio.Future[struct{}]
	hosts      []*Host
	faults     faults
	dying      int // lives that are over and whose tasks are not all gone
	invariants []invariant
	begun      bool    // Victim was called
	victim     *victim // of a run of CancelEverywhere
	failure    *Failure
	left       atomic.Pointer[error] // the first attempt to leave the simulation
	log        []string
	over       atomic.Bool // the run has ended
}

// maxLog is how many lines of a run are kept for its report.
const maxLog = 200

// worldKey is the key of the world in the contexts of its tasks.
type worldKey struct{}

// From is the world that the task of ctx runs in, or nil outside of simulation.
func From(ctx context.Context) *World {
	w, _ := ctx.Value(worldKey{}).(*World)
	return w
}

// Clock is the world's time.
func (w *World) Clock() *Clock { return &w.clock }

// Now is how much time has passed since the world began.
func (w *World) Now() time.Duration { return w.clock.past }

// Draw is a number from 0 to n-1 that belongs to the schedule: it is explored,
// replayed and shrunk with it. 0 should be what is most ordinary, because that is what
// shrinking tries, and what the first seed gets.
func (w *World) Draw(n int) int {
	w.mustRun("Draw")
	if n < 1 || n > math.MaxInt32 {
		panic(fmt.Sprintf("sim: World.Draw(%d): it draws from 1 to 2³¹-1; draw several times for more", n))
	}
	return w.s.draw(n, "the program")
}

// Chance is true in so many of a hundred cases, and never under the first seed.
func (w *World) Chance(percent int) bool {
	w.mustRun("Chance")
	return w.chance(percent, "the program")
}

func (w *World) chance(percent int, what string) bool { return w.s.draw(100, what) >= 100-percent }

// Logf adds a line to the report of a failure.
func (w *World) Logf(format string, args ...any) { w.logLine(fmt.Sprintf(format, args...)) }

func (w *World) logLine(text string) {
	if w.s.names == nil {
		return // the run of the report will come here again
	}
	if len(w.log) == maxLog {
		w.log = append(w.log[:0], w.log[1:]...)
	}
	w.log = append(w.log, fmt.Sprintf("%8v  %s", w.Now(), text))
}

// Fail ends the run as failed, with the error. The first call counts.
func (w *World) Fail(err error) {
	w.mustRun("Fail")
	w.fail(KindError, err)
}

// mustRun panics unless the run of w is the one that goes on here.
func (w *World) mustRun(fn string) {
	switch _, err := asyncio.RunningLoop(w.ctx); {
	case err == nil:
	case w.over.Load():
		panic(fmt.Sprintf("sim: World.%s: the run of this world is over; each run has a world of its own, use that", fn))
	default:
		panic(fmt.Sprintf("sim: World.%s: called from outside of the run of this world; use it in its tasks only", fn))
	}
}

func (w *World) fail(kind Kind, err error) {
	if w.failure != nil {
		return
	}
	w.failure = &Failure{Kind: kind, Err: err}
	w.thaw()
	if w.cancel != nil {
		w.cancel()
	}
}

// stuck is called when nothing can happen any more; it has ended what can be ended.
func (w *World) stuck() bool {
	names := w.thaw()
	if names == "" {
		return false
	}
	w.fail(KindDeadlock, fmt.Errorf("every task waits or is on a paused host, %s, and no deadline is set that could "+
		"change that; call Host.Resume", names))
	return true
}

// end is called when f has returned: the shutdown needs hosts that run.
func (w *World) end() {
	w.thaw()
	w.cancel()
}

// fence is told of an attempt to leave the simulation, on whatever goroutine. The run
// hears of it after its present step.
func (w *World) fence(err error) {
	err = fmt.Errorf("%w\n%s", err, debug.Stack())
	w.left.CompareAndSwap(nil, &err)
}

func (w *World) checkFence() {
	if err := w.left.Load(); err != nil {
		w.fail(KindFence, *err)
	}
}

// heard is the exception handler: what nobody else could be told is a failure.
func (w *World) heard(_ *asyncio.Loop, ec asyncio.ExceptionContext) {
	if ec.Task != nil && onDeadHost(ec.Task) {
		return // what a crash leaves undone is no failure
	}
	first, _, _ := strings.Cut(ec.Message, "\n")
	w.logLine(first)
	kind, err := KindReport, errors.New(ec.Message)
	if ec.Err != nil {
		err = fmt.Errorf("%s: %w", ec.Message, ec.Err)
	}
	switch {
	case errors.Is(ec.Err, asyncio.ErrDeadlock) && strings.HasPrefix(ec.Message, "Deadlock"):
		kind = KindDeadlock
	case isPanic(ec.Err):
		kind, err = KindPanic, ec.Err
	}
	w.fail(kind, err)
}

func isPanic(err error) bool {
	_, ok := errors.AsType[*asyncio.PanicError](err)
	return ok
}

// A lineHandler puts what a run logs into its report.
type lineHandler struct {
	w     *World
	attrs string
}

// Enabled implements [slog.Handler].
func (h lineHandler) Enabled(context.Context, slog.Level) bool { return h.w.s.names != nil }

// Handle implements [slog.Handler].
func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	line := r.Message + h.attrs
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	h.w.logLine(line)
	return nil
}

// WithAttrs implements [slog.Handler].
func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.attrs += " " + a.String()
	}
	return h
}

// WithGroup implements [slog.Handler].
func (h lineHandler) WithGroup(string) slog.Handler { return h }
