package asyncio

import "github.com/asyncio-go/asyncio/internal/poll"

// A Chooser makes the decisions that a loop makes by default in order of
// arrival, although nothing promises that order. A simulation explores
// schedules with one. It is called on the loop.
//
// What is promised is never asked: the order in which a lock, a queue or an
// event grants, of the callbacks of one future, of CallSoon calls, of calls of
// one goroutine, of cancellations and of the shutdown.
type Chooser interface {
	// Choose picks one of n candidates, which are numbered from 0 in order of
	// arrival; n is at least 2.
	Choose(kind Choice, n int) int
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
func (e *engine) choose(kind Choice, n int) int {
	if n < 2 {
		return 0
	}
	chosen := false
	defer func() {
		if !chosen {
			e.chooser = nil // it panicked; the shutdown must not ask it again
		}
	}()
	i := e.chooser.Choose(kind, n)
	if i < 0 || i >= n {
		panic(misuse(nil, "Chooser.Choose(%d, %d) returned %d; return one of 0 to n-1", kind, n, i))
	}
	chosen = true
	return i
}

// chooseReady picks one of this turn's tasks, or its first callback: callbacks
// keep their order.
func (e *engine) chooseReady() runnable {
	candidates := make([]int, 0, e.budget+1)
	callback := false
	for i := range e.budget + 1 { // the one that is picked was counted already
		if _, isTask := e.ready.At(i).(*task); isTask {
			candidates = append(candidates, i)
		} else if !callback {
			callback = true
			candidates = append(candidates, i)
		}
	}
	return e.ready.PopAt(candidates[e.choose(ChooseReady, len(candidates))])
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
	candidates := make([]int, 0, len(equal))
	callback := false
	for i := range equal {
		equal[i] = e.timers.Pop()
		if _, isWind := equal[i].(*windDeadline); isWind {
			pick = i // the shutdown is no matter of choice
		}
		if _, isCall := equal[i].(*timer); !isCall {
			candidates = append(candidates, i)
		} else if !callback {
			callback = true
			candidates = append(candidates, i)
		}
	}
	if pick < 0 {
		pick = candidates[e.choose(ChooseTimer, len(candidates))]
	}
	return equal[pick]
}

// chooseEvent moves one of the descriptors that have become ready to the front.
func (e *engine) chooseEvent(events []poll.Event) {
	i := e.choose(ChooseCompletion, len(events))
	events[0], events[i] = events[i], events[0]
}

// chooseCompletion moves one of the completions that calls begins with to its
// front.
func (e *engine) chooseCompletion(calls []injected) {
	n := 0
	for n < len(calls) && calls[n].completion {
		n++
	}
	i := e.choose(ChooseCompletion, n)
	chosen := calls[i]
	copy(calls[1:i+1], calls[:i])
	calls[0] = chosen
}
