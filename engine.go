package asyncio

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
	"weak"

	"github.com/asyncio-go/asyncio/internal/heap"
	"github.com/asyncio-go/asyncio/internal/list"
	"github.com/asyncio-go/asyncio/internal/prefetch"
	"github.com/asyncio-go/asyncio/internal/ring"
)

// An engine is a loop without its handle. Coroutines, contexts and callbacks
// hold the engine and never the [Loop], so that a loop that the program drops
// without closing it can be noticed.
//
// Everything but the atomics and the inbox belongs to the goroutine that runs
// the loop and to the coroutines that it resumes: one of them at a time.
type engine struct {
	number  int64
	created string // where NewLoop was called
	opts    LoopOptions
	log     *slog.Logger
	debug   bool
	labels  context.Context // pprof labels of its coroutines
	handle  weak.Pointer[Loop]
	given   atomic.Bool // the program holds the handle, and may use it at any time

	state     atomic.Int32 // loopOpen, loopRunning, loopClosed
	abandoned atomic.Bool  // closed, but left to a goroutine that is stuck in a step
	busy      atomic.Bool  // runs steps, does not sleep; for the watchdog
	steps     uint64       // counts steps; for the watchdog and the clock

	g   uintptr // the goroutine that may touch the loop now; 0 at rest
	cur *task   // the task that runs; nil in a callback
	// noAwait is where the stretch began in which cur must not await, or zero.
	noAwait origin
	slot    *task // runs before anything that is ready: a generator or its consumer
	ready   ring.Buffer[runnable]
	// budget is how many of the ready ones still belong to this turn.
	budget int

	clock     Clock      // nil: the machine's
	local     LocalClock // the clock, if it is one
	epoch     time.Time
	now       int64 // the clock, when it was last read
	nextCheck uint64
	checkedAt uint64 // steps at the last look at the timers
	checkedOn int64  // and the time
	timers    heap.Heap[expirer]

	inbox      inbox
	fds        fds
	closers    []*Handle // called when the loop closes
	active     int       // functions on goroutines that will wake the loop when they are done
	intake     *intake   // of Main's loop
	foreigns   list.List[foreign]
	cancels    int     // functions that cancel a scope and have not been called
	calling    *Handle // the callback that runs or ran last
	deadlocked bool    // the run has ended in a deadlock
	chooser    Chooser
	watcher    Watcher // the Chooser, if it is one
	candidates []Candidate
	places     []int // where the candidates are
	held       bool  // the Chooser wants none of the ready
	executor   executor
	dropped    dropBox
	failures   list.List[failure]
	tasks      list.List[task]
	gens       list.List[task]
	coros      int     // living coroutines
	thread     uintptr // the goroutine, if it is locked to its thread, that they were made on
	idleCoros  []*coro
	root       *scope    // above the scopes of all tasks
	searches   uint32    // of the wait graph
	answer     []uintptr // the stack of the task that was asked last
	objects    int64     // locks, queues and the like on which a task has waited
	probed     *scope
	scopeSeq   uint64
	rootTasks  uint32
	futures    int64

	stopping     bool // Stop was called
	idleReported bool
	closing      bool // the shutdown has begun: new tasks are born cancelled
	wind         wind // its progress
}

// A runnable is what the ready queue holds: a task's next step or a callback.
type runnable interface{ step() }

// An expirer is what a deadline makes happen.
type expirer interface {
	expire()
	place() *heap.Item // in the loop's timers
}

const (
	loopOpen int32 = iota
	loopRunning
	loopClosed
)

func (e *engine) String() string { return fmt.Sprintf("loop %d (created at %s)", e.number, e.created) }

// turns runs the loop, turn by turn, until done, which is asked after each.
//
// It is one flat function on purpose: a switch of coroutines leaves the
// processor's return predictor with the wrong stack, and every function between
// here and the switch would cost a misprediction on the way back.
func (e *engine) turns(done func() bool) {
	g, fast := e.g, !e.debug && e.chooser == nil
	for {
		e.beginTurn()
		e.budget = e.ready.Len()
		for slots := 0; e.budget > 0 || e.slot != nil; {
			t := e.slot
			if t != nil {
				e.slot = nil
				if slots++; slots > maxSlotSteps {
					slots = 0
					e.ready.Push(t)
					continue
				}
			} else {
				e.budget--
				if e.budget >= ahead && e.coros >= crowd {
					e.fetchAhead()
				}
				var r runnable
				if e.chooser == nil {
					r = e.ready.Pop()
				} else if r = e.chooseReady(); r == nil {
					e.held, e.budget = true, 0
					e.nextCheck = e.steps // without steps nothing else would have the timers looked at
					break
				}
				var isTask bool
				if t, isTask = r.(*task); !isTask {
					e.runStep(r)
					continue
				}
			}
			if !fast || !t.mayResume() {
				e.runStep(t)
				continue
			}
			c := t.coro
			if c == nil {
				c = e.takeCoro(t)
			}
			e.steps++
			t.state = Running
			e.cur, e.g = t, c.g
			c.next()
			e.cur, e.g = nil, g
		}
		if done() {
			return
		}
		if (e.ready.Len() == 0 || e.held) && !e.inbox.pending.Load() {
			e.idle()
		}
		e.held = false
	}
}

// crowd is how many living tasks are so many that the stacks of those that are ready
// are probably no longer in the processor's caches; ahead is how many steps later the
// task runs whose stack is fetched.
const (
	crowd = 256
	ahead = 4
)

// fetchAhead has the processor load the stack of the task that runs four steps
// later. Returning through a dozen lines that are in no cache takes longer than
// all else that a task does which was woken: with it 100,000 end in half the time.
func (e *engine) fetchAhead() {
	if t, ok := e.ready.At(ahead).(*task); ok && t.coro != nil {
		prefetch.Lines(t.coro.sp - 128) // the frames of the switch lie below
	}
}

// maxSlotSteps bounds how long a generator and its consumer pass the loop to
// each other before the others get a turn.
const maxSlotSteps = 64

// beginTurn makes ready what injected calls, the garbage collector and due
// timers have for the loop. What a turn makes ready runs in the next.
func (e *engine) beginTurn() {
	if e.inbox.pending.Load() {
		e.drain()
	}
	if e.opts.Fence != nil {
		e.arrivals()
	}
	if e.dropped.pending.Load() {
		e.collectDropped()
	}
	if e.steps >= e.nextCheck {
		if e.fds.count > 0 {
			e.pollFDs()
		}
		e.checkTimers()
	} else if e.timers.Len() > 0 && e.ready.Len() == 0 {
		e.checkTimers()
	}
}

// runStep runs a step or callback that needs more than a switch.
func (e *engine) runStep(r runnable) {
	e.steps++
	var c Candidate
	if e.watcher != nil {
		c, _ = candidateOf(r)
		e.watcher.BeforeStep(c)
	}
	if e.debug {
		e.timeStep(r)
	} else {
		r.step()
	}
	if e.watcher != nil {
		e.watcher.AfterStep(c)
	}
}

// A loop that is never idle looks at its timers and descriptors after checkSteps
// steps, or after as many as take checkTime by what the last ones took. A look
// costs a quarter of a switch, and a system call if there are descriptors.
const (
	checkSteps = 64
	checkTime  = int64(50 * time.Microsecond)
)

// checkTimers makes ready whatever is due. It also keeps the clock that waits are
// dated by from standing still.
func (e *engine) checkTimers() {
	now := e.readClock()
	for e.timers.Len() > 0 && e.timers.Next() <= now {
		if e.chooser != nil {
			e.chooseTimer().expire()
		} else {
			e.timers.Pop().expire()
		}
	}
	n := uint64(checkSteps)
	if ran := int64(e.steps - e.checkedAt); ran > 0 {
		each := max((now-e.checkedOn)/ran, 1)
		n = uint64(min(max(checkTime/each, 1), checkSteps))
	}
	e.checkedAt, e.checkedOn, e.nextCheck = e.steps, now, e.steps+n
}

// idle waits until there is something to do.
func (e *engine) idle() {
	if e.clock != nil {
		if e.arrivals(); e.fds.count > 0 {
			e.pollFDs() // what is ready comes before what is due when the clock jumps
		}
		if e.ready.Len() > 0 && !e.held {
			return
		}
	}
	now, next := e.now, forever
	if e.timers.Len() > 0 || e.debug {
		now = e.readClock()
	}
	if e.timers.Len() > 0 {
		if next = e.timers.Next(); next <= now {
			return
		}
	}
	if e.quiet() && !e.held && (next == forever || e.closing && e.timers.Len() == 1 && e.wind.deadline.item.Queued()) {
		// The clock of a simulation may have somebody who waits for just that.
		if e.opts.Fence == nil || e.clock == nil || !e.clock.Idle(time.Time{}, false, e) {
			e.deadlock()
		}
		return
	}
	wait := time.Duration(forever)
	if e.clock != nil {
		var due time.Time
		if next != forever {
			due = e.wall(next)
		}
		if e.clock.Idle(due, e.active > 0 || e.fds.count > 0, e) {
			return
		}
	} else if next != forever {
		wait = time.Duration(next - now)
	}
	e.busy.Store(false)
	if wait == time.Duration(forever) && e.suspicious() {
		if e.sleepUntilWoken(idleReportAfter) {
			e.reportIdle()
		}
	} else {
		e.sleepUntilWoken(wait)
	}
	e.busy.Store(true)
	watchAgain()
	e.checkedAt, e.checkedOn = e.steps, e.readClock()
	if e.debug {
		e.reportSlowPoll(wait, now)
	}
}

// quiet reports whether nothing outside can wake the loop: provably, because
// nobody holds anything to do it with.
func (e *engine) quiet() bool {
	if e.opts.Fence != nil {
		return e.active == 0
	}
	return e.active == 0 && e.fds.count == 0 && e.cancels == 0 && e.foreigns.Empty() && !e.given.Load() && !e.inbox.pending.Load()
}
