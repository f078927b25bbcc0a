package asyncio

import "time"

// stuckAfter is how long no step may end, once the shutdown timeout is over,
// before Close leaves a loop behind that blocks outside of an await.
const (
	stuckAfter = time.Second
	stuckCheck = 50 * time.Millisecond
)

// supervise waits until the shutdown is done, or until it is overdue and stuck
// in a step that does not end: that cannot be interrupted, only left. It reports
// whether the shutdown is done.
func (e *engine) supervise(done chan struct{}) bool {
	if e.opts.ShutdownTimeout < 0 {
		<-done
		return true
	}
	timer := time.NewTimer(e.opts.ShutdownTimeout)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
	}
	// A virtual clock stands still while a task spins. Its deadlines strike now
	// at the latest.
	e.inject(func() {
		if !e.wind.expired {
			e.wind.deadline.strike()
		}
	})
	grace := time.AfterFunc(unwindGrace, func() {
		e.inject(func() {
			if !e.wind.hopeless {
				e.wind.deadline.strike()
			}
		})
	})
	defer grace.Stop()
	ticker := time.NewTicker(stuckCheck)
	defer ticker.Stop()
	last, since := e.stepsNow(), uptime()
	for {
		select {
		case <-done:
			return true
		case <-ticker.C:
		}
		if now := e.stepsNow(); now != last || !e.busy.Load() {
			last, since = now, uptime()
		} else if uptime()-since > int64(stuckAfter) {
			return false
		}
	}
}

// abandon leaves a loop whose goroutine is stuck to that goroutine, which goes
// on with the shutdown should the step end one day. It says what is left.
func (e *engine) abandon() []string {
	e.abandoned.Store(true)
	name, stack := e.blockedStep()
	e.log.Error("asyncio: "+name+" blocks outside of an await and is left behind with its loop", "stack", stack)
	left := []string{name + " blocks outside of an await"}
	for _, name := range e.tasksUnsynced() {
		left = append(left, name+" was left with it")
	}
	return left
}
