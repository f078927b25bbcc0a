package asyncio

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// A CallGraph is where a task stood at one moment, who waited for it, and who
// for those.
type CallGraph struct {
	TaskInfo
	Stack     []runtime.Frame // of its own functions, innermost first
	AwaitedBy []*CallGraph    // without the stack and what follows where a task occurs again
}

// CallGraph captures the task's call graph. It is called on the loop, in
// whatever task or callback; a task that has not begun, or is done, has no
// stack. It costs a switch a task and is meant for reports.
func (t *task) CallGraph() *CallGraph {
	e := t.scope.e
	e.mustOwn("Task.CallGraph")
	e.searches++
	return t.callGraph(e.searches)
}

func (t *task) callGraph(search uint32) *CallGraph {
	g := &CallGraph{TaskInfo: t.info()}
	if t.coro != nil {
		if t.coro.seen == search {
			return g
		}
		t.coro.seen = search
	}
	g.Stack = t.stack()
	for u := range t.waitedForBy {
		g.AwaitedBy = append(g.AwaitedBy, u.callGraph(search))
	}
	return g
}

// String is the graph as asyncio prints one.
func (g *CallGraph) String() string {
	var b strings.Builder
	g.write(&b, "")
	return strings.TrimSuffix(b.String(), "\n")
}

func (g *CallGraph) write(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%s* %s\n", indent, g.TaskInfo)
	if len(g.Stack) > 0 {
		fmt.Fprintf(b, "%s  + Call stack:\n", indent)
		for _, f := range g.Stack {
			fmt.Fprintf(b, "%s  |   %s in %s\n", indent, shortPath(f.File, f.Line), f.Function[strings.LastIndexByte(f.Function, '/')+1:])
		}
	}
	if len(indent) > maxIndent {
		indent = indent[:maxIndent]
	}
	if len(g.AwaitedBy) > 0 {
		fmt.Fprintf(b, "%s  + Awaited by:\n", indent)
		for _, up := range g.AwaitedBy {
			up.write(b, indent+"    ")
		}
	}
}

// stack is the task's stack, without the frames of this package.
func (t *task) stack() []runtime.Frame {
	e := t.scope.e
	switch {
	case e.cur == t:
		e.answer = callers()
	case t.coro == nil || t.state == Running: // it has none, or is starting another task
		return nil
	default:
		e.ask(t)
	}
	var stack []runtime.Frame
	frames := runtime.CallersFrames(e.answer)
	e.answer = nil
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); !ours(f) {
			stack = append(stack, f)
		}
	}
	return stack
}

// maxStack is how many frames of a stack are told.
const maxStack = 100

func callers() []uintptr {
	var pcs [maxStack]uintptr
	return append([]uintptr(nil), pcs[:runtime.Callers(2, pcs[:])]...)
}

// ours reports whether a frame belongs to this package or the runtime below it. An
// iterator that was inlined is named after the function that ranges over it, but
// its file tells.
func ours(f runtime.Frame) bool {
	return f.Function == "" || strings.HasPrefix(f.Function, packagePrefix) ||
		strings.HasPrefix(f.Function, "iter.") || strings.HasPrefix(f.Function, "runtime.") ||
		filepath.Dir(f.File) == packageDir && !strings.HasSuffix(f.File, "_test.go")
}
