package asyncio

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The watchdog reports a step that blocks its loop while it does: after the
// fact it is too late for a deadlocked mutex, and too late to see the stack.
//
// It is one timer for all loops of the process, and costs a loop nothing: a
// loop counts its steps, which it does anyway, and the watchdog looks whether
// the count stands still while the loop is busy. When all loops sleep, so does
// the watchdog, until one of them wakes.
var watchdog struct {
	dormant atomic.Bool // no timer is armed; read without the lock

	sync.Mutex
	timer   *time.Timer
	watched []*watch
}

// A watch is what the watchdog knows of one running loop.
type watch struct {
	e        *engine
	limit    time.Duration
	steps    uint64
	since    int64 // when the count was first seen at steps
	reported bool
}

// looksPerLimit is how often the watchdog looks at a loop within the loop's
// threshold; a report is late by up to one look.
const looksPerLimit = 4

// startWatching has the watchdog look at the loop.
func (e *engine) startWatching() {
	limit := e.opts.StallThreshold
	if limit < 0 || inBubble() { // in a bubble time stands still while a step runs
		return
	}
	watchdog.Lock()
	defer watchdog.Unlock()
	watchdog.watched = append(watchdog.watched, &watch{e: e, limit: limit, steps: e.stepsNow(), since: uptime()})
	armWatchdog()
}

func (e *engine) stopWatching() {
	watchdog.Lock()
	defer watchdog.Unlock()
	watchdog.watched = slices.DeleteFunc(watchdog.watched, func(w *watch) bool { return w.e == e })
	if len(watchdog.watched) == 0 && watchdog.timer != nil {
		watchdog.timer.Stop()
		watchdog.dormant.Store(false)
		watchdog.timer = nil
	}
}

// watchAgain wakes the watchdog, because a loop has woken.
func watchAgain() {
	if watchdog.dormant.Load() && !inBubble() {
		watchdog.Lock()
		defer watchdog.Unlock()
		armWatchdog()
	}
}

// armWatchdog sets the timer for the next look. The caller holds the lock.
func armWatchdog() {
	if len(watchdog.watched) == 0 {
		return
	}
	next := watchdog.watched[0].limit
	for _, w := range watchdog.watched {
		next = min(next, w.limit)
	}
	next = max(next/looksPerLimit, time.Millisecond)
	if watchdog.timer == nil {
		watchdog.timer = time.AfterFunc(next, look)
	} else {
		watchdog.timer.Reset(next)
	}
	watchdog.dormant.Store(false)
}

// look finds the loops that are stuck, and reports them.
func look() {
	watchdog.Lock()
	now := uptime()
	busy := false
	var stuck []watch
	for _, w := range watchdog.watched {
		steps := w.e.stepsNow()
		if !w.e.busy.Load() || steps != w.steps {
			w.steps, w.since, w.reported = steps, now, false
		}
		if w.e.busy.Load() {
			busy = true
			if !w.reported && now-w.since >= int64(w.limit) {
				w.reported = true
				stuck = append(stuck, *w)
			}
		}
	}
	if busy {
		armWatchdog()
	} else {
		watchdog.dormant.Store(true)
	}
	watchdog.Unlock()
	for _, w := range stuck {
		w.report(time.Duration(now - w.since))
	}
}

func (w *watch) report(blocked time.Duration) {
	name, stack := w.e.blockedStep()
	verb := "has been blocking"
	if w.e.stepsNow() != w.steps {
		// It ended while its stack was looked for, which takes 5 µs a
		// goroutine. The stack is that of the beginning.
		verb = "blocked"
	}
	w.e.log.Warn(fmt.Sprintf("asyncio: Executing %s %s loop %d for %.3f seconds",
		name, verb, w.e.number, blocked.Seconds()), "stack", stack)
}

// blockedStep names what the loop is executing and finds its stack, from
// another goroutine.
//
// A dump of all goroutines would stop the world for as long as it takes to
// print them. The goroutine profile does not, and sums up what stands at the
// same place: 200,000 parked tasks are one record. The one that matters has the
// loop's label and is not parked; a callback runs on the loop's goroutine, which
// has no label, below Handle.call.
func (e *engine) blockedStep() (name, stack string) {
	name, inTask := e.currentUnsynced()
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a Buffer takes everything
	label := strconv.Quote(loopLabel) + ":" + strconv.Quote(strconv.FormatInt(e.number, 10))
	for record := range strings.SplitSeq(profile.String(), "\n\n") {
		labelled := strings.Contains(record, label)
		frames := stackOf(record)
		switch {
		case len(frames) == 0 || strings.HasPrefix(frames[0], "iter.Pull["), strings.HasPrefix(frames[0], "runtime.coroswitch"):
		case inTask && labelled, !inTask && strings.Contains(record, packagePrefix+"(*Handle).call"):
			return name, strings.Join(frames, "\n")
		}
	}
	return name, "not found"
}

// stackOf are the frames of a record of the goroutine profile in its text form,
// "#	0x46e2c1	main.work+0x21	/src/main.go:12", down to this package's own.
func stackOf(record string) []string {
	var frames []string
	for line := range strings.SplitSeq(record, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[0] != "#" || fields[1] == "labels:" {
			continue
		}
		fn, _, _ := strings.Cut(fields[2], "+0x")
		if strings.HasPrefix(fn, packagePrefix) && (strings.HasSuffix(fn, ".run") || strings.HasSuffix(fn, ").call")) {
			break
		}
		frames = append(frames, fn+" "+fields[3])
	}
	return frames
}
