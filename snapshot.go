package asyncio

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// A TaskInfo is what a task was doing at one moment.
type TaskInfo struct {
	Task       AnyTask
	State      TaskState
	WaitingFor string        // as [Task.WaitingFor]
	Waiting    time.Duration // how long it had waited for that
	HeldBy     []AnyTask     // who must do something before the wait can end, if that is known
}

// String is one line, such as "Task-1-2 (main.work) waits for <Lock-1 locked by
// Task-1-3>, held by Task-1-3".
func (i TaskInfo) String() string {
	if i.Task == nil {
		return "no task"
	}
	s := i.Task.Name() + " (" + funcName(i.Task.entry()) + ") "
	if i.State != Waiting {
		return s + "is " + i.State.String()
	}
	s += "waits for " + i.WaitingFor
	for n, holder := range i.HeldBy {
		switch {
		case n == 0:
			s += ", held by " + holder.Name()
		case n < maxHolders:
			s += ", " + holder.Name()
		case n == maxHolders:
			s += fmt.Sprintf(" and %d more", len(i.HeldBy)-maxHolders)
		}
	}
	return s
}

// maxHolders is how many holders a line names.
const maxHolders = 5

func (t *task) info() TaskInfo {
	i := TaskInfo{Task: t.face, State: t.state}
	if t.state == Waiting {
		i.WaitingFor = inBrief(t.coro.on)
		i.Waiting = max(0, time.Duration(t.scope.e.readClock()-t.coro.since))
		i.HeldBy = faces(possible(t.coro.on))
	}
	return i
}

func faces(tasks iter.Seq[*task]) (all []AnyTask) {
	for t := range tasks {
		all = append(all, t.face)
	}
	return all
}

// A TaskTree is a snapshot of the tasks of a loop: each stands below the one
// whose cancellation would reach it, as a rule the one that started it.
type TaskTree struct {
	TaskInfo             // of the root, which stands for the loop, Task is nil
	Children []*TaskTree // in order of creation
}

// Tasks is a snapshot of the tasks that are not done.
func (l *Loop) Tasks() *TaskTree {
	l.e.mustNotRace("Loop.Tasks")
	root := &TaskTree{}
	var all []*TaskTree
	var seqs []uint64
	for t := range l.e.tasks.All {
		n := &TaskTree{TaskInfo: t.info()}
		above := root
		for s := t.scope.parent; s != nil; s = s.parent {
			if i, found := slices.BinarySearch(seqs, s.seq); found {
				above = all[i]
				break
			}
		}
		above.Children = append(above.Children, n)
		// A task is entered after those above it, and nearly always last.
		i, _ := slices.BinarySearch(seqs, t.scope.seq)
		seqs, all = slices.Insert(seqs, i, t.scope.seq), slices.Insert(all, i, n)
	}
	return root
}

// All are the tasks of the tree, each before those below it.
func (t *TaskTree) All() iter.Seq[AnyTask] {
	return func(yield func(AnyTask) bool) { t.walk(yield) }
}

func (t *TaskTree) walk(yield func(AnyTask) bool) bool {
	if t.Task != nil && !yield(t.Task) {
		return false
	}
	for _, child := range t.Children {
		if !child.walk(yield) {
			return false
		}
	}
	return true
}

// maxIndent is how many bytes a line of a deep tree is indented by at most.
const maxIndent = 200

// Len is the number of tasks in the tree.
func (t *TaskTree) Len() (n int) {
	for range t.All() {
		n++
	}
	return n
}

// String is the tree as text, one line a task:
//
//	Task-1 (main.main) waits for <TaskGroup tasks=2>, held by Task-1-1, Task-1-2
//	├── Task-1-1 (main.work) waits for Sleep
//	└── Task-1-2 (main.work) is ready
func (t *TaskTree) String() string {
	var b strings.Builder
	t.write(&b, "", "")
	return strings.TrimSuffix(b.String(), "\n")
}

func (t *TaskTree) write(b *strings.Builder, first, rest string) {
	if t.Task == nil {
		for _, child := range t.Children {
			child.write(b, "", "")
		}
		return
	}
	b.WriteString(first + t.TaskInfo.String() + "\n")
	for i, child := range t.Children {
		branch, below := "├── ", "│   "
		if i+1 == len(t.Children) {
			branch, below = "└── ", "    "
		}
		if len(rest) > maxIndent { // or the text of a deep tree would grow with the square of its depth
			below = ""
		}
		child.write(b, rest+branch, rest+below)
	}
}
