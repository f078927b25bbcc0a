package asyncio

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"github.com/asyncio-go/asyncio/internal/list"
)

// A TaskState is where a task stands in its life.
type TaskState uint8

// A task is made, is ready until the loop gets to it, runs and waits in turn,
// and ends in one of four ways.
const (
	Created   TaskState = iota // not yet handed to the loop
	Ready                      // will run in one of the next turns
	Running                    // runs, or has started another task eagerly
	Waiting                    // suspended in an await
	Succeeded                  // returned a value
	Failed                     // returned an error
	Cancelled                  // was cancelled and returned that cancellation
	Panicked                   // panicked
)

var stateNames = [...]string{"created", "ready", "running", "waiting", "succeeded", "failed", "cancelled", "panicked"}

func (s TaskState) String() string { return stateNames[s] }

// AnyTask is a [Task] of whatever type.
type AnyTask interface {
	ID() uint64
	Name() string
	State() TaskState
	Done() bool
	Cancel(cause error) bool
	WaitingFor() string
	CallGraph() *CallGraph
	Context() context.Context
	String() string

	body
}

// body is the generic part of a task as the engine sees it.
type body interface {
	run()             // the whole of it, in a coroutine
	finish(err error) // what to do with how it ended
	entry() any       // the function, for its name
	created() string  // where it was started, and by which task
}

// A Task is a function that runs concurrently with others on one loop. The
// loop holds it until it is done. Its methods belong to the loop: they must be
// called there, unless the loop does not run. ID and Name may be called anywhere,
// and String, which elsewhere says less.
type Task[T any] struct {
	task
	fn    func(context.Context) (T, error)
	plain func(context.Context) error // instead of fn, where there is no value
	value T
}

var _ AnyTask = (*Task[int])(nil)

// task is the engine's part of a task, and of a generator's body.
//
// Invariants: it is in the ready queue exactly if its state is Ready, and then
// once; it has a coroutine from its first step to its last; a finished one is
// never resumed.
type task struct {
	outcome
	state  TaskState
	doom   doom
	isMain bool       // its panic leaves Run
	pulled bool       // of a generator's body: a task waits in Next
	starts bool       // StartIn waits for it, and gets its error
	coro   *coro      // from its first step to its last
	group  *TaskGroup // that it is a child of, or nil
	scope  scope      // the ctx its function receives
	face   AnyTask    // the Task or generator around it

	// Who it is.
	node     list.Node[task] // in the loop's tasks
	id       uint64
	name     *string // given, or made when a child first needs it
	spawner  *string // the spawner's name; nil for a task of the loop's own
	number   uint32  // counted by the spawner
	children uint32
	made     uintptr // the pc of the call that started it
	debug    *taskDebug
}

// run implements body.
func (t *Task[T]) run() {
	if t.plain != nil {
		t.finish(t.plain(&t.scope))
		return
	}
	v, err := t.fn(&t.scope)
	t.value = v
	t.finish(err)
}

// entry and Name may be called by the watchdog, while the task blocks: see
// unsynced.go.
//
//go:norace
func (t *Task[T]) entry() any {
	if t.plain != nil {
		return t.plain
	}
	return t.fn
}

// Await waits until the task is done and returns its result. A task that was
// cancelled returns its [CancelledError], one that panicked a [PanicError].
// Cancelling the waiter leaves the task alone: awaiting does not own.
func (t *Task[T]) Await(ctx context.Context) (T, error) {
	if err := t.await(ctx, t.scope.e, t, "Task.Await"); err != nil {
		var zero T
		return zero, err
	}
	return t.value, t.retrieve()
}

// Result is the value and error of a task that is done. Before, it fails with
// an error that matches [ErrInvalidState].
func (t *Task[T]) Result() (T, error) {
	t.scope.e.mustNotRace("Task.Result")
	if !t.done {
		var zero T
		return zero, fmt.Errorf("asyncio: Task.Result: %w: the result of %v is not set; await it", ErrInvalidState, t)
	}
	return t.value, t.retrieve()
}

// AddDoneCallback has the loop call fn(t) once t is done. Callbacks run in the
// order in which they were added; cancelling the handle takes one back.
func (t *Task[T]) AddDoneCallback(fn func(*Task[T])) *Handle {
	t.scope.e.mustNotRace("Task.AddDoneCallback")
	mustFunc(fn != nil, "Task.AddDoneCallback")
	h := t.scope.e.newHandle(func() { fn(t) }, fn)
	t.addCallback(h)
	t.scope.e.nudge()
	return h
}

// String is the task as asyncio prints one.
func (t *Task[T]) String() string {
	var more string
	switch {
	case !t.scope.e.owned() && !t.scope.e.atRest():
	case t.state == Waiting && t.coro.on != nil:
		more = " wait_for=" + inBrief(t.coro.on)
	case t.state == Succeeded:
		more = " result=" + brief(t.value)
	}
	return t.describe(more)
}

// ID is a number that follows from the path of spawns that leads to the task:
// the same in every run in which the same tasks spawn the same children, in
// whatever order they run. Tasks that no task has spawned, but a callback or
// [Submit], are numbered as they come.
func (t *task) ID() uint64 { return t.id }

// Name is the name that was given in [TaskOptions], or one made of the
// spawner's name and a number: Task-1 is main, Task-1-3 its third child.
//
//go:norace
func (t *task) Name() string {
	if t.name != nil {
		return *t.name
	}
	name := "Task-" + strconv.FormatUint(uint64(t.number), 10)
	if t.spawner != nil {
		name = *t.spawner + name[len("Task"):]
	}
	if len(name) > maxName {
		name = "Task~" + strconv.FormatUint(t.id, 16)
	}
	return name
}

// maxName bounds the names that are made of spawners' names: a chain of tasks
// of which each starts the next may go on for ever.
const maxName = 64

// Context is the ctx that the task's function receives. To ask it for values, any
// goroutine may.
func (t *task) Context() context.Context { return &t.scope }

// State is where the task stands.
func (t *task) State() TaskState {
	t.scope.e.mustNotRace("Task.State")
	return t.state
}

// Done reports whether the task has ended, in whatever way.
func (t *task) Done() bool {
	t.scope.e.mustNotRace("Task.Done")
	return t.done
}

// Cancel cancels the task's scope and all below it: each of its awaits fails
// from now on, with an error that unwraps to cause, which may be nil. A task
// that has not run yet never will. It reports whether this was the first
// cancellation of a task that is not done. Cancel does not wait.
func (t *task) Cancel(cause error) bool {
	t.scope.e.mustNotRace("Task.Cancel")
	if t.done || !t.scope.cancel(newCancellation(context.Canceled, cause)) {
		return false
	}
	if t.state == Created { // its group holds it back
		t.group.release(t)
	}
	return true
}

// WaitingFor says what the task waits for, and is empty if it does not wait.
func (t *task) WaitingFor() string {
	t.scope.e.mustNotRace("Task.WaitingFor")
	if t.state != Waiting {
		return ""
	}
	return inBrief(t.coro.on)
}

// inBrief is what somebody waits for, as text. Of a task it does not say what that
// waits for in turn: each link of a chain would tell of all that follow, and those
// of a circle for ever.
func inBrief(on any) string {
	if t, ok := on.(interface{ engineTask() *task }); ok {
		return t.engineTask().describe("")
	}
	return fmt.Sprint(on)
}

// finish ends the task with what its function returned or panicked with.
func (t *task) finish(err error) {
	e := t.scope.e
	waited := !t.waiters.Empty() || t.group != nil
	c := t.scope.state.Load()
	switch {
	case t.state == Panicked || t.state == Cancelled: // by the way it left its function
	case err == nil:
		t.state = Succeeded
	case c != nil && c.caused(err):
		t.state = Cancelled
	default:
		t.state = Failed
	}
	switch {
	case t.isMain: // its run returns the error
	case t.state == Panicked:
		if pe := err.(*PanicError); !pe.told {
			pe.told = true
			t.endReporting(err, "Task panicked")
			return
		}
	case t.state == Failed && e.closing && !waited:
		t.endReporting(err, "unhandled exception during asyncio.Run shutdown")
		return
	case t.state == Failed && !waited:
		t.done, t.err = true, err // for the report, which prints the task
		t.failUnretrieved(e, err)
	}
	t.end(err)
}

// end takes the task off the loop.
func (t *task) end(err error) {
	t.scope.retire()
	t.node.Remove()
	t.done, t.err = true, err
	if t.group != nil {
		t.group.ended(t) // first: who awaits t in the group is cancelled, and does not fail once more
	}
	t.settle(err)
}

// endReporting is end after a report; the exception handler may Goexit.
func (t *task) endReporting(err error, message string) {
	defer t.end(err)
	t.done, t.err = true, err // for the report, which prints the task
	t.scope.e.report(ExceptionContext{Message: message, Err: err, Task: t.face})
}

// failUnretrieved sees to it that the error of a task is reported at the latest
// when the loop closes.
func (t *task) failUnretrieved(e *engine, err error) {
	f := e.newFailure(&failure{
		message: "Task exception was never retrieved",
		object:  t.face.String(), created: t.created(), err: err})
	if e.opts.Fence == nil { // the garbage collector comes when it likes
		f.cleanup = runtime.AddCleanup(t, (*failure).unreachable, f)
	}
	t.aftermath().failure = f
}

// describe is the task as asyncio prints one, and more about it.
func (t *task) describe(more string) string {
	var b strings.Builder
	if e := t.scope.e; !e.owned() && !e.atRest() {
		return "<Task name='" + t.Name() + "' coro=" + funcName(t.face.entry()) + "()>" // the rest changes under our eyes
	}
	b.WriteString("<Task ")
	switch {
	case !t.done && t.scope.state.Load() != nil:
		b.WriteString("cancelling")
	case !t.done:
		b.WriteString("pending")
	case t.state == Cancelled:
		b.WriteString("cancelled")
	default:
		b.WriteString("finished")
	}
	b.WriteString(" name='" + t.Name() + "' coro=" + funcName(t.face.entry()) + "()")
	if t.done && t.err != nil && t.state != Cancelled {
		fmt.Fprintf(&b, " exception=%q", firstLine(errText(t.err)))
	}
	b.WriteString(more + t.suffix() + ">")
	return b.String()
}

// identify gives t its name and number, as a child of the running task or of
// the loop.
func (t *task) identify(e *engine, given string) {
	var parent uint64
	if up := e.cur; up != nil {
		up.children++
		t.number = up.children
		parent = up.id
		if up.name == nil {
			name := up.face.Name()
			up.name = &name
		}
		t.spawner = up.name
	} else {
		e.rootTasks++
		t.number = e.rootTasks
	}
	t.id = mix(parent, uint64(t.number))
	if given != "" {
		name := given // a variable of its own, or every unnamed task would allocate one
		t.name = &name
	}
}

// mix is a step of SplitMix64 (Steele, Lea, Flood 2014): ids that follow from
// the parent's and do not collide in practice.
func mix(parent, n uint64) uint64 {
	z := parent + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
