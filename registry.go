package asyncio

import (
	"slices"
	"sync"
)

// running are the loops of the process that run now.
var running struct {
	sync.Mutex
	loops []*engine
}

// loopHere is the loop that runs on the calling goroutine, or nil.
func loopHere() *engine {
	running.Lock()
	defer running.Unlock()
	for _, e := range running.loops {
		if e.owned() {
			return e
		}
	}
	return nil
}

// register adds the loop to those that run, which are watched.
func (e *engine) register() {
	running.Lock()
	running.loops = append(running.loops, e)
	running.Unlock()
	e.startWatching()
}

func (e *engine) unregister() {
	running.Lock()
	running.loops = slices.DeleteFunc(running.loops, func(x *engine) bool { return x == e })
	running.Unlock()
	e.stopWatching()
}
