package asyncio

import (
	"context"
	"fmt"
	"slices"

	"github.com/asyncio-go/asyncio/internal/gid"
	"github.com/asyncio-go/asyncio/internal/ring"
)

// Group runs f, and the tasks that are started in its group, and returns when
// all of them have ended: none outlives it. The ctx of f is a scope that ends
// with the group, and those of the tasks lie below it.
//
// When f or a task fails, the others are cancelled. The error is returned as it
// is, several as a [GroupError] in the order in which they came; who ends with the
// cancellation has not failed. If the group was cancelled from outside and nothing
// failed, Group returns that cancellation. When a task panics the others are
// cancelled, and Group panics with the [PanicError], which has the stack of the
// task, once they have ended.
//
// The wait for the tasks is not a cancellation point: when ctx is cancelled the
// tasks are, and Group returns when they have ended.
func Group(ctx context.Context, f func(ctx context.Context, g *TaskGroup) error) error {
	mustFunc(f != nil, "Group")
	g := &TaskGroup{}
	defer g.leave(g.enter(ctx, "Group"))
	if err := f(&g.scope, g); err != nil {
		g.failed(g.parent, err)
		if g.outside != nil {
			g.outside = err // as f puts it
		}
	}
	if g.parent.isClosed() { // yield has returned false in f: nobody wants what the tasks would make
		g.cancel(errGeneratorClosed)
	}
	g.join()
	return g.verdict()
}

// A TaskGroup is the tasks that a [Group] awaits. Any task or callback of the loop
// may start tasks in it, as long as f or one of its tasks has not ended.
type TaskGroup struct {
	scope    scope
	fn       string  // Group, Gather, …
	parent   *task   // who runs f, and joins
	children []*task // those that have not ended, and some that have
	alive    int     // tasks that have not ended
	running  int     // those of them that were let begin
	limit    int     // of running; 0 is none
	held     ring.Buffer[*task]
	errs     []error
	panicked error
	own      *cancellation // the group's cancellation of itself, if there was a reason
	outside  error         // what somebody returned who was cancelled from outside
	judge    func(t *task) // called for each task that has ended, in place of failed
	joining  bool
	closed   bool
}

// Go starts f as a task of the group. It does not wait, whatever the limit. The
// error of f is the group's to tell; the task need not be awaited.
//
// In a group that is cancelled the task never runs. In one that has ended Go
// panics.
//
//go:noinline
func (g *TaskGroup) Go(f func(ctx context.Context) error) *Task[struct{}] {
	mustFunc(f != nil, "TaskGroup.Go")
	t := &Task[struct{}]{plain: f}
	g.add(&t.task, t, TaskOptions{}, gid.CallerPC(), "TaskGroup.Go")
	return t
}

// SpawnIn is [TaskGroup.Go] for a function that returns a value. To name the task
// or to start it eagerly, use [SpawnWith] with the group in its options.
//
//go:noinline
func SpawnIn[T any](g *TaskGroup, f func(ctx context.Context) (T, error)) *Task[T] {
	mustFunc(f != nil, "SpawnIn")
	t := &Task[T]{fn: f}
	g.add(&t.task, t, TaskOptions{}, gid.CallerPC(), "SpawnIn")
	return t
}

// Cancel cancels f and the tasks of the group. The group then leaves without an
// error, unless something fails.
func (g *TaskGroup) Cancel() {
	g.mustBeOpened("TaskGroup.Cancel")
	g.scope.e.mustNotRace("TaskGroup.Cancel")
	if !g.closed {
		g.cancel(errGroupCancelled)
		g.scope.e.nudge()
	}
}

// SetLimit bounds how many tasks of the group run at a time. The others wait for
// their turn, in order, and cost no more than their memory; so tasks may start
// tasks in their own group. Zero or less, the default, is no limit. Lowering it
// stops nobody.
func (g *TaskGroup) SetLimit(n int) {
	g.mustBeOpened("TaskGroup.SetLimit")
	g.scope.e.mustNotRace("TaskGroup.SetLimit")
	g.limit = max(n, 0)
	g.fill()
	g.scope.e.nudge()
}

// String is the group as asyncio prints one.
func (g *TaskGroup) String() string {
	s := "<TaskGroup"
	if g.fn != "Group" && g.fn != "" {
		s = "<" + g.fn
	}
	if e := g.scope.e; e != nil && !e.owned() && !e.atRest() {
		return s + ">"
	}
	if g.alive > 0 {
		s += fmt.Sprintf(" tasks=%d", g.alive)
	}
	if len(g.errs) > 0 {
		s += fmt.Sprintf(" errors=%d", len(g.errs))
	}
	if g.scope.state.Load() != nil && !g.closed {
		s += " cancelling"
	}
	return s + ">"
}

// enter opens the group in the calling task and returns the bracket around it.
func (g *TaskGroup) enter(ctx context.Context, fn string) (outer *scope) {
	g.fn, g.parent = fn, runningTask(ctx, fn)
	g.scope.derive(g.parent.scope.e, ctx, fn)
	return g.parent.enterBracket(&g.scope)
}

// leave closes the group and the bracket, after its join or in its place.
func (g *TaskGroup) leave(outer *scope) {
	if !g.closed { // f has panicked or called Goexit
		g.cancel(errGroupCancelled)
		g.join()
	}
	g.parent.leaveBracket(g.scope.close, outer)
}

// add makes t a task of the group.
func (g *TaskGroup) add(t *task, face AnyTask, o TaskOptions, pc uintptr, fn string) {
	g.mustBeOpened(fn)
	e := g.scope.e
	e.mustOwn(fn)
	if g.closed {
		panic(misuse(ErrInvalidState, "%s: the group of %s has ended; start tasks in it while its function or one of "+
			"its tasks runs", fn, g.parent.face.Name()))
	}
	t.group = g
	t.scope.begin(e, &g.scope, nil, &g.scope)
	g.children = append(g.children, t)
	g.alive++
	if g.limit > 0 && g.running >= g.limit && t.scope.state.Load() == nil && !e.closing {
		t.enroll(e, face, o, pc)
		g.held.Push(t)
		g.scope.more().group = g
		return
	}
	g.running++
	t.join(e, face, o, pc)
}

func (g *TaskGroup) mustBeOpened(fn string) {
	if g == nil || g.parent == nil {
		panic(misuse(ErrInvalidState, "%s: the group was not opened; call Group and use the group that its function is given", fn))
	}
}

// fill lets begin as many of the tasks that are held back as the limit allows.
func (g *TaskGroup) fill() {
	for g.held.Len() > 0 && (g.limit == 0 || g.running < g.limit) {
		g.release(g.held.Pop())
	}
}

// release lets a task begin that was held back.
func (g *TaskGroup) release(t *task) {
	if t.state == Created { // or it has been let begin because it was cancelled
		g.running++
		t.makeReady()
	}
}

// ended is told of each task of the group that has ended.
func (g *TaskGroup) ended(t *task) {
	g.alive--
	g.running--
	switch {
	case t.state == Panicked:
		if g.panicked == nil {
			g.panicked = t.err
		}
		g.cancel(&siblingError{t.face.Name(), t.err})
	case t.starts: // StartIn has its error
	case g.judge != nil:
		g.judge(t)
	case t.state == Failed:
		g.failed(t, t.err)
	case t.state == Cancelled:
		g.wasCancelled(t.err)
	}
	g.fill()
	g.forget()
	if g.alive == 0 && g.joining {
		g.closed = true
		g.parent.wake()
	}
}

// forget lets go of tasks that have ended, so that a group may live long.
func (g *TaskGroup) forget() {
	for len(g.children) > 0 && g.children[0].done { // most end in the order in which they began
		g.children[0] = nil // the array stays
		g.children = g.children[1:]
	}
	if len(g.children) > 2*g.alive+maxEnded {
		g.children = slices.DeleteFunc(g.children, func(t *task) bool { return t.done })
	}
	if n := g.held.Len(); n > 2*(g.alive-g.running)+maxEnded {
		for range n { // those that were cancelled one by one
			if t := g.held.Pop(); t.state == Created {
				g.held.Push(t)
			}
		}
	}
}

// maxEnded is how many tasks that have ended a group may still hold.
const maxEnded = 64

// failed notes the error of a task, or of f in the parent, and cancels the others.
func (g *TaskGroup) failed(t *task, err error) {
	if !g.wasCancelled(err) {
		g.errs = append(g.errs, err)
		g.cancel(&siblingError{t.face.Name(), err})
	}
}

// wasCancelled reports whether err is the cancellation of the group.
func (g *TaskGroup) wasCancelled(err error) bool {
	c := g.scope.state.Load()
	if c == nil || !c.caused(err) {
		return false
	}
	if c != g.own && g.outside == nil {
		g.outside = &c.CancelledError
	}
	return true
}

// cancel has the group cancel itself.
func (g *TaskGroup) cancel(cause error) {
	if g.own == nil {
		g.own = newCancellation(context.Canceled, cause)
		g.scope.cancel(g.own)
	}
}

// join waits until all tasks have ended.
func (g *TaskGroup) join() {
	g.joining = true
	for g.alive > 0 {
		if g.parent.isWaitedFor() {
			g.parent.breakCircles(g)
		}
		await{t: g.parent}.join(g)
	}
	g.closed = true
}

// verdict is what a group returns whose tasks have ended.
func (g *TaskGroup) verdict() error {
	switch {
	case g.panicked != nil:
		panic(g.panicked)
	case len(g.errs) == 1:
		return g.errs[0]
	case len(g.errs) > 1:
		return &GroupError{g.errs}
	case g.outside != nil:
		return g.outside
	case g.own != nil:
		return g.scope.cancelledAbove() // later than the group cancelled itself
	}
	return nil
}

// holder implements held: the group is joined when each of its tasks has ended.
func (g *TaskGroup) holder(i int) (*task, bool) {
	if i >= len(g.children) {
		return nil, false
	}
	return g.children[i].unlessDone(), true
}

// A siblingError is why a group cancels itself when one of its tasks fails. It
// does not unwrap: the error is the other's, and no task must take it for one of
// its own.
type siblingError struct {
	who string
	err error
}

func (e *siblingError) Error() string {
	if _, panicked := e.err.(*PanicError); panicked {
		return e.who + " panicked"
	}
	return e.who + " failed: " + firstLine(errText(e.err))
}

var errGroupCancelled error = &misuseError{text: "the group was cancelled"}
