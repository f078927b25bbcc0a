package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A Kind is the way in which a run failed.
type Kind string

// The kinds of failures.
const (
	KindError     Kind = "error"     // the function returned one
	KindPanic     Kind = "panic"     // a task panicked
	KindReport    Kind = "report"    // an error that nobody has retrieved
	KindDeadlock  Kind = "deadlock"  // every task waits, and nothing can wake one
	KindAssertion Kind = "assertion" // an assertion or an invariant does not hold
	KindSteps     Kind = "steps"     // the run takes too many steps
	KindFence     Kind = "fence"     // something outside of the simulation was used
	KindStrayed   Kind = "strayed"   // two runs of one seed differ
	KindMissed    Kind = "missed"    // the campaign never saw what it should have
	KindEmpty     Kind = "empty"     // there was nothing to choose
)

// A Failure is a run that failed, with what is needed to run it again. It is the error
// of a campaign.
type Failure struct {
	Kind      Kind
	Err       error
	Seed      uint64
	Strategy  Strategy
	Schedules int           // how many were tried, with this one
	At        time.Duration // on the world's clock

	// Picks are the decisions of the shrunk schedule, up to the last that is not 0.
	Picks      []int32
	Deviations []Deviation // what those are that are not 0
	Cancelled  string      // in CancelEverywhere: when the victim was
	Departs    string      // where it first departs from the last run that passed
	Events     []string    // the last steps
	Log        []string    // the last lines that the run has logged
	Hash       uint64      // of all decisions and steps

	of     []int32 // of how many each was picked
	replay string  // the command
}

// A Deviation is a decision of a schedule that differs from FIFO order and an ideal
// world, or several in a row that differ in the same way: a task runs on and on before
// another.
type Deviation struct {
	Step  int    // the number of the step that it picked, or that came next
	Steps int    // how many in a row
	What  string // in words
}

func (d Deviation) String() string {
	if d.Steps > 1 {
		return fmt.Sprintf("at steps %d to %d %s", d.Step, d.Step+d.Steps-1, d.What)
	}
	return fmt.Sprintf("at step %d %s", d.Step, d.What)
}

// deviate adds a deviation at a step to f.
func (f *Failure) deviate(step int, what string) {
	if n := len(f.Deviations); n > 0 {
		if last := &f.Deviations[n-1]; last.What == what && last.Step+last.Steps == step {
			last.Steps++
			return
		}
	}
	f.Deviations = append(f.Deviations, Deviation{step, 1, what})
}

func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sim: %s: %v\n", f.Kind, f.Err)
	if f.Strategy != "" { // otherwise it is no run that has failed
		fmt.Fprintf(&b, "  seed %d (%s), schedule %d of the campaign", f.Seed, f.Strategy, f.Schedules)
		if f.Hash != 0 {
			fmt.Fprintf(&b, ", at %v, hash %016x", f.At, f.Hash)
		}
		b.WriteString("\n")
	} else if f.Schedules > 0 {
		fmt.Fprintf(&b, "  %d schedules were tried\n", f.Schedules)
	}
	if f.replay != "" {
		fmt.Fprintf(&b, "  replay: %s\n", f.replay)
	}
	if f.Hash != 0 {
		b.WriteString("  schedule: " + f.words() + "\n")
	}
	if f.Cancelled != "" {
		b.WriteString("  " + f.Cancelled + "\n")
	}
	if f.Departs != "" {
		b.WriteString("  departs from the last run that passed " + f.Departs + "\n")
	}
	section(&b, "last steps", f.Events)
	section(&b, "log", f.Log)
	return strings.TrimSuffix(b.String(), "\n")
}

// MarshalJSON writes the failure with its error as text.
func (f *Failure) MarshalJSON() ([]byte, error) {
	type fields Failure // without the method
	return json.Marshal(struct {
		*fields
		Err  string
		Hash string
	}{(*fields)(f), f.Err.Error(), hashText(f.Hash)})
}

// Unwrap is the error of the run.
func (f *Failure) Unwrap() error { return f.Err }

// words are the schedule in words.
func (f *Failure) words() string {
	if len(f.Deviations) == 0 {
		return "FIFO"
	}
	all := make([]string, len(f.Deviations))
	for i, d := range f.Deviations {
		all[i] = d.String()
	}
	return "FIFO, except that " + strings.Join(all, ", and ")
}

func section(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	b.WriteString("  " + title + ":\n")
	for _, line := range lines {
		b.WriteString("    " + strings.ReplaceAll(line, "\n", "\n    ") + "\n")
	}
}

// names has the words for what happens in the run of a report.
type names struct {
	said   map[int]string // of deviations, by the number of the decision
	tasks  map[uint64]string
	events []string
	w      *World
}

func newNames() *names { return &names{said: map[int]string{}, tasks: map[uint64]string{}} }

// maxEvents is how many steps a report tells.
const maxEvents = 20

// chose notes a decision that picked another candidate than FIFO order would have.
func (x *names) chose(at int, kind uint8, picked, first asyncio.Candidate, i int) {
	switch asyncio.Choice(kind) {
	case asyncio.ChooseReady:
		x.said[at] = nameOf(picked) + " ran before " + nameOf(first)
	case asyncio.ChooseTimer:
		x.said[at] = "the deadline of " + nameOf(picked) + " struck before that of " + nameOf(first)
	default:
		x.said[at] = fmt.Sprintf("result %d came before result 0", i)
	}
}

// drew notes a draw, and what it was for.
func (x *names) drew(at, picked int, what string) {
	x.said[at] = fmt.Sprintf("the world drew %d for %s", picked, what)
}

func (x *names) step(c asyncio.Candidate) {
	x.tasks[idOf(c)] = nameOf(c)
	if len(x.events) == maxEvents && !flags.trace {
		x.events = append(x.events[:0], x.events[1:]...)
	}
	x.events = append(x.events, fmt.Sprintf("%8v  step %d: %s", x.w.Now(), len(x.w.s.steps), nameOf(c)))
}

// of is the name of the task with an ID that has run.
func (x *names) of(id uint64) string {
	if name, ok := x.tasks[id]; ok {
		return name
	}
	return fmt.Sprintf("a task of another run (%016x)", id)
}

// nameOf names a candidate as its program would.
func nameOf(c asyncio.Candidate) string {
	if c.Task == nil {
		return "a callback"
	}
	return "`" + c.Task.Name() + "`"
}
