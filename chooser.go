package asyncio

import (
	"slices"

	"github.com/asyncio-go/asyncio/internal/poll"
)

// A Chooser makes the decisions that a loop makes by default in order of
// arrival, although nothing promises that order. A simulation explores
// schedules with one. It is called on the loop.
//
// What is promised is never asked: the order in which a lock, a queue or an
// event grants, of the callbacks of one future, of CallSoon calls, of calls of
// one goroutine, of cancellations and of the shutdown.
type Chooser interface {
	// Choose picks one of the candidates, of which there is at least one, by its
	// index. They stand in order of arrival, so 0 is what a loop does without a
	// Chooser. The slice is only valid during the call.
	Choose(kind Choice, candidates []Candidate) int
}

// A Watcher is a [Chooser] that has the loop to itself. For ChooseReady it is given all
// that is ready, also what waits for the next turn and what has just run. A loop
// without one runs every other task before that, and programs rely on it when they
// yield: a Watcher must not pass one over for ever. A negative number is none of them:
// the loop goes on as if nothing were ready, until its clock has moved.
//
// It is told of every step, on the loop, just before and just after it. A step lasts
// until its task awaits or ends.
type Watcher interface {
	Chooser
	BeforeStep(c Candidate)
	AfterStep(c Candidate)
}

// A Candidate is what a [Chooser] may pick: for ChooseReady the step of a task or a
// callback, for ChooseTimer a sleep or another deadline, for ChooseCompletion a result
// or a descriptor.
type Candidate struct {
	Task AnyTask // whose step or sleep it is; nil if it is no task's
	On   any     // what the task waits for, or has waited for; only to be compared
}

// A Choice is a kind of decision.
type Choice uint8

// The decisions that a [Chooser] is asked for.
const (
	ChooseReady      Choice = iota // which of several ready tasks runs first
	ChooseTimer                    // which of several equal deadlines strikes first
	ChooseCompletion               // which of several results of the executor, or ready descriptors, comes first
)

// choose asks the loop's Chooser.
func (e *engine) choose(kind Choice, candidates []Candidate) int {
	chosen := false
	defer func() {
		if !chosen {
			e.chooser = nil // it panicked; the shutdown must not ask it again
		}
	}()
	i, n := e.chooser.Choose(kind, candidates), len(candidates)
	clear(candidates)
	e.candidates = candidates[:0]
	if i >= n || i < 0 && (kind != ChooseReady || e.watcher == nil) {
		panic(misuse(nil, "Chooser.Choose(%d, %d) returned %d; return one of 0 to n-1", kind, n, i))
	}
	chosen = true
	return i
}

func candidateOf(r any) (c Candidate, isTask bool) {
	t, isTask := r.(*task)
	if isTask {
		c.Task = t.face
		if t.coro != nil {
			c.On = t.coro.on
		}
	}
	return c, isTask
}

// chooseReady picks one of this turn's tasks, or its first callback: callbacks
// keep their order. It is nil if the Chooser wants none of them.
func (e *engine) chooseReady() runnable {
	n := e.budget + 1 // the one that is picked was counted already
	if e.watcher != nil {
		n = e.ready.Len()
	}
	candidates := e.candidates
	callback := false
	e.places = e.places[:0]
	for i := range n {
		c, isTask := candidateOf(e.ready.At(i))
		if !isTask {
			if callback {
				continue
			}
			callback = true
		}
		candidates = append(candidates, c)
		e.places = append(e.places, i)
	}
	i := e.choose(ChooseReady, candidates)
	if i < 0 {
		return nil
	}
	return e.ready.PopAt(e.places[i])
}

// chooseTimer picks one of the timers with the earliest deadline; those of
// callbacks keep their order.
func (e *engine) chooseTimer() expirer {
	equal := make([]expirer, e.timers.Equal())
	when := e.timers.Next()
	pick := -1
	defer func() { // also if the Chooser panics
		for i, x := range equal {
			if i != pick {
				e.timers.Push(when, x.place(), x)
			}
		}
	}()
	candidates, callback := e.candidates, false
	e.places = e.places[:0]
	for i := range equal {
		equal[i] = e.timers.Pop()
		if _, isWind := equal[i].(*windDeadline); isWind {
			pick = i // the shutdown is no matter of choice
		}
		if _, isCall := equal[i].(*timer); isCall {
			if callback {
				continue
			}
			callback = true
		}
		c, _ := candidateOf(equal[i])
		candidates = append(candidates, c)
		e.places = append(e.places, i)
	}
	if pick < 0 {
		pick = e.places[e.choose(ChooseTimer, candidates)]
	}
	return equal[pick]
}

// chooseEvent moves one of the descriptors that have become ready to the front.
func (e *engine) chooseEvent(events []poll.Event) {
	i := e.choose(ChooseCompletion, e.anonymous(len(events)))
	events[0], events[i] = events[i], events[0]
}

// chooseCompletion moves one of the completions that calls begins with to its
// front.
func (e *engine) chooseCompletion(calls []injected) {
	n := 0
	for n < len(calls) && calls[n].completion {
		n++
	}
	i := e.choose(ChooseCompletion, e.anonymous(n))
	chosen := calls[i]
	copy(calls[1:i+1], calls[:i])
	calls[0] = chosen
}

// anonymous are n candidates of which nothing more is known.
func (e *engine) anonymous(n int) []Candidate { return slices.Grow(e.candidates, n)[:n] }
