package asyncio_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A schedule is one run of a small random program on a loop that is in a random
// order. All decisions, those of the program and those of the loop, are drawn
// from one source, so the same source gives the same run.
//
// Beside each primitive stands a sequential model. As the loop runs one task at a
// time, and the context of a wait says whether it has been cancelled, the model
// can follow every operation at the moment at which it takes effect; so what each
// of them must return, and who must wait, is known exactly.
type schedule struct {
	source func(n int) int
	prog   scheduleProgram
	loop   *asyncio.Loop
	actors []*actor
	common context.Context // a scope that actors share
	cancel context.CancelFunc
	ending bool     // nobody begins anything new
	logs   []string // what is to be logged, a part of each line
	events []scheduleEvent
	hash   uint64 // of all decisions and events
	failed string // the first thing that went wrong
}

// A scheduleProgram is what the actors do with one primitive, and its model.
type scheduleProgram interface {
	step(ctx context.Context, a *actor) // one operation
	poke()                              // one that needs no task
	check()                             // compares the primitive with the model
	leave(a *actor)                     // gives back what a has, which ends
	finish(ctx context.Context)         // lets those go who wait for what nobody else will do
}

// A passive is what a scheduleProgram may leave out.
type passive struct{ *schedule }

func (passive) poke()                  {}
func (passive) check()                 {}
func (passive) leave(*actor)           {}
func (passive) finish(context.Context) {}

// A scheduleEvent is a line of the story that a failure tells.
type scheduleEvent struct {
	at   time.Time
	who  int // an actor, or -1 for a callback or the main task
	what string
	arg  int
}

var (
	scheduleSeed = flag.Int64("schedule.seed", -1, "run the schedule of this `seed` only, and tell its story")
	scheduleRuns = flag.Int("schedule.runs", 1000, "how many schedules to run of each kind")
)

// testSchedules runs the schedules of many seeds.
func testSchedules(t *testing.T, program func(s *schedule) scheduleProgram) {
	noLeaks(t)
	if *scheduleSeed >= 0 {
		s := runSchedule(seededSource(uint64(*scheduleSeed)), program)
		t.Logf("%s", s.tell())
		if s.failed != "" {
			t.Error(s.failed)
		}
		return
	}
	runs := *scheduleRuns
	if testing.Short() {
		runs /= 10
	}
	const workers = 2
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for seed := worker; seed < runs && !t.Failed(); seed += workers {
				if s := runSchedule(seededSource(uint64(seed)), program); s.failed != "" {
					t.Errorf("seed %d: %s\nreplay with: go test -run '^%s$' . -schedule.seed=%d\n%s",
						seed, s.failed, t.Name(), seed, s.tell())
				}
			}
		})
	}
	all.Wait()
}

func seededSource(seed uint64) func(n int) int { return rand.New(rand.NewPCG(seed, 0)).IntN }

// bytesSource takes the decisions from b; when that is used up all are 0, with
// which programs come to their end.
func bytesSource(b []byte) func(n int) int {
	return func(n int) int {
		if len(b) == 0 {
			return 0
		}
		v := int(b[0]) % n
		b = b[1:]
		return v
	}
}

// runSchedule runs one schedule.
func runSchedule(source func(n int) int, program func(s *schedule) scheduleProgram) *schedule {
	s := &schedule{source: source}
	s.prog = program(s)
	b := newBench()
	b.Options.Chooser = chooserFunc(func(_ asyncio.Choice, n int) int { return s.draw(n) })
	panicked, err := resultOrPanic(func() error { return b.Run(context.Background(), s.main) })
	if err != nil || panicked != nil {
		s.fail("Run returned %v, and panicked with %v", err, panicked)
	}
	s.checkEnd(b.log.Lines())
	return s
}

// draw is one of n decisions, from 0 on.
func (s *schedule) draw(n int) int {
	if n < 2 {
		return 0
	}
	v := s.source(n)
	s.mix(uint64(v))
	return v
}

// oneIn is true with a probability of 1 to n, and never once the source is used up.
func (s *schedule) oneIn(n int) bool { return s.draw(n) == n-1 }

func (s *schedule) moment() time.Duration { return time.Duration(s.draw(4)) * time.Millisecond }

func (s *schedule) mix(v uint64) { s.hash = (s.hash ^ v) * 0x100000001b3 }

func (s *schedule) note(who int, what string, arg int) {
	e := scheduleEvent{s.loop.Now(), who, what, arg}
	s.events = append(s.events, e)
	s.mix(uint64(e.at.UnixNano()))
	s.mix(uint64(who))
	for i := range len(what) {
		s.mix(uint64(what[i]))
	}
	s.mix(uint64(arg))
}

func (s *schedule) fail(format string, args ...any) {
	if s.failed == "" {
		s.failed = fmt.Sprintf(format, args...)
		s.note(-1, "FAILED: "+s.failed, 0)
	}
}

// tell is the story of the schedule.
func (s *schedule) tell() string {
	var b strings.Builder
	for _, e := range s.events {
		who := fmt.Sprintf("#%d", e.who)
		if e.who < 0 {
			who = "--"
		}
		fmt.Fprintf(&b, "%6v %s %s %d\n", e.at.Sub(s.events[0].at), who, e.what, e.arg)
	}
	return b.String()
}

// main starts the actors. Either it shuts everything down at some moment, or it
// waits until whoever can go on has done so, and then lets go the others.
func (s *schedule) main(ctx context.Context) (err error) {
	if s.loop, err = asyncio.RunningLoop(ctx); err != nil {
		return err
	}
	s.common, s.cancel = asyncio.WithCancel(ctx)
	defer s.cancel()
	for range 3 + s.draw(6) {
		under := ctx
		if s.draw(3) == 2 {
			under = s.common
		}
		a := s.actor()
		a.task = asyncio.SpawnWith(under, asyncio.TaskOptions{Eager: s.oneIn(4)}, asyncio.Void(a.run))
	}
	if s.oneIn(6) {
		err = asyncio.Sleep(ctx, s.moment())
		s.note(-1, "shutdown", 0)
		return err
	}
	// The clock is virtual: what has not happened in an hour never will.
	for round := 0; round < 20; round++ {
		if err := asyncio.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		s.prog.check()
		if s.atRest() {
			return nil
		}
		s.ending = true
		s.prog.finish(ctx)
	}
	s.fail("%d rounds after the end actors are still waiting:\n%v", 20, s.loop.Tasks())
	return nil
}

// atRest reports whether all actors are done; who is not must wait, rightly.
func (s *schedule) atRest() bool {
	done := true
	for _, a := range s.actors {
		if a.task == nil || a.task.Done() {
			continue
		}
		done = false
		if w := a.wait; w == nil || w.settled || w.cancelled() {
			s.fail("#%d should have gone on, but waits for %s", a.n, a.task.WaitingFor())
		}
	}
	return done
}

// checkEnd looks at what is left of a run.
func (s *schedule) checkEnd(logged []string) {
	s.prog.check()
	if n := s.loop.Tasks().Len(); n != 0 {
		s.fail("%d tasks are left on the closed loop", n)
	}
	for _, part := range s.logs {
		found := false
		for i, line := range logged {
			if found = strings.Contains(line, part); found {
				logged[i] = ""
				break
			}
		}
		if !found {
			s.fail("%q was not logged", part)
		}
	}
	if rest := strings.TrimSpace(strings.Join(logged, "\n")); rest != "" {
		s.fail("logged:\n%s", rest)
	}
}

// disturb does what may come between two operations.
func (s *schedule) disturb() {
	switch after := s.moment(); s.draw(8) {
	case 0:
		s.cancelSome()
	case 1:
		s.loop.CallSoon(s.cancelSome)
	case 2:
		s.loop.CallLater(after, s.cancelSome)
	case 3, 4:
		s.prog.poke()
	case 5:
		s.loop.CallSoon(s.prog.poke)
	default:
		s.loop.CallLater(after, s.prog.poke)
	}
	s.prog.check()
}

// cancelSome cancels a task, a scope inside of one, or one around some.
func (s *schedule) cancelSome() {
	kind := s.draw(8)
	var victims []*actor
	for _, a := range s.actors {
		if !a.ended && a.task != nil && (kind < 3 || a.stop != nil) {
			victims = append(victims, a)
		}
	}
	switch {
	case kind == 7:
		s.note(-1, "cancel the common scope", 0)
		s.cancel()
	case len(victims) == 0:
		return
	case kind < 3:
		victim := victims[s.draw(len(victims))]
		s.note(-1, "cancel task", victim.n)
		victim.task.Cancel(victim.cause)
		if victim.task.State() == asyncio.Created {
			s.fail("#%d is cancelled, but its group still holds it back", victim.n)
		}
	default:
		victim := victims[s.draw(len(victims))]
		s.note(-1, "cancel a scope of", victim.n)
		victim.stop()
	}
	s.prog.check()
}

// scheduleOutcome names an error in the story.
func scheduleOutcome(err error) string {
	var ce *asyncio.CancelledError
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, asyncio.ErrDeadlock):
		return "deadlock"
	case errors.Is(err, asyncio.ErrTimeout):
		return "deadline"
	case errors.As(err, &ce):
		return "cancelled"
	}
	return "error"
}
