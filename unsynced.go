package asyncio

// What a goroutine reads of a loop that is stuck in a step, without
// synchronization: the loop cannot be asked, and nothing of it changes until
// the step ends. Should it end in that moment, a value is stale, not torn: each
// is one word, or was written when its object was made.

//go:norace
func (e *engine) stepsNow() uint64 { return e.steps }

// currentUnsynced names what the loop executes, and says whether it is a task.
//
//go:norace
func (e *engine) currentUnsynced() (name string, inTask bool) {
	if t := e.cur; t != nil {
		return t.nameUnsynced(), true
	}
	if h := e.calling; h != nil {
		return "<Handle " + h.funcName() + "()>", false
	}
	return "the loop itself", false
}

//go:norace
func (t *task) nameUnsynced() string {
	return "<Task name='" + t.face.Name() + "' coro=" + funcName(t.face.entry()) + "()>"
}

// tasksUnsynced names the tasks of a loop but the one that runs.
//
//go:norace
func (e *engine) tasksUnsynced() []string {
	var names []string
	current := e.cur
	for t := range e.tasks.All {
		if t != current {
			names = append(names, t.nameUnsynced())
		}
	}
	return names
}
