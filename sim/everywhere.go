package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A victim is what CancelEverywhere cancels, and when.
type victim struct {
	moment  int // at which it is cancelled; 0 is never
	moments int // that have come by
	begun   bool
	caller  asyncio.AnyTask // the task that runs it
	cancel  context.CancelFunc
	when    string // the moment in words, once it has come
}

// victimKey is the key of the victim in the contexts of the tasks that it starts.
type victimKey struct{}

// Victim runs g, and returns what it returns. In a run of [CancelEverywhere] it is g
// that is cancelled. It may be called once in a run.
func (w *World) Victim(ctx context.Context, g func(ctx context.Context) error) error {
	w.mustRun("Victim")
	if w.begun {
		panic("sim: World.Victim: it was called before in this run; cancel one thing at a time")
	}
	w.begun = true
	v := w.victim
	if v == nil {
		return g(ctx)
	}
	ctx, v.cancel = asyncio.WithCancel(context.WithValue(ctx, victimKey{}, v))
	v.begun, v.caller = true, asyncio.CurrentTask(ctx)
	defer func() { v.caller = nil; v.cancel() }()
	return g(ctx)
}

// is reports whether a step is one of the victim's.
func (v *victim) is(t asyncio.AnyTask) bool {
	return v.begun && t != nil && (t == v.caller || t.Context().Value(victimKey{}) == v)
}

// beforeStep is a moment if what a task of the victim has waited for has happened, and
// it does not know yet.
func (v *victim) beforeStep(c asyncio.Candidate) {
	if v.is(c.Task) && c.On != nil {
		v.pass(c, "was to go on after it had waited for", c.On)
	}
}

// afterStep is a moment if a task of the victim has begun to wait, or has yielded.
func (v *victim) afterStep(c asyncio.Candidate) {
	if !v.is(c.Task) {
		return
	}
	switch c.Task.State() {
	case asyncio.Waiting:
		v.pass(c, "began to wait for", c.Task.WaitingFor())
	case asyncio.Ready:
		v.pass(c, "yielded", "")
	}
}

func (v *victim) pass(c asyncio.Candidate, what string, on any) {
	if v.moments++; v.moments == v.moment {
		v.when = strings.TrimSpace(fmt.Sprintf("cancelled at moment %d, when %s %s %v", v.moment, nameOf(c), what, on))
		v.cancel()
	}
}

// CancelEverywhere runs f once to count the moments at which what it passes to
// [World.Victim] can be cancelled, and then once for each of them, with a cancellation
// there. The moments are those at which a task of the victim begins to wait or yields, and
// those at which what it has waited for has happened, before it goes on: a cancellation
// that races a completion. A victim without any fails the test. After the victim, f checks what must hold whatever happened, and
// returns an error if it does not. It does so under each of o.Seeds schedules; zero
// means 10.
func CancelEverywhere(t testing.TB, f Func, o Options) {
	t.Helper()
	if o = o.flagged(); o.Seeds == 0 {
		o.Seeds = 10
	}
	base := newCampaign(f, o)
	base.first()
	if base.failed != nil {
		t.Error(base.failed)
		return
	}
	all := newStrategies()
	began := time.Now()
	for i := range uint64(base.o.Seeds) {
		if base.o.Budget > 0 && time.Since(began) > base.o.Budget {
			return
		}
		if f := base.everywhere(all, base.o.Seed+i); f != nil {
			f.replay = command(t.Name(), packageOf(base.f), fmt.Sprint(f.Seed))
			t.Error(f)
			return
		}
	}
}

// everywhere cancels the victim at every moment of one schedule.
func (c *campaign) everywhere(all *strategies, seed uint64) *Failure {
	moments := 1
	for moment := 0; moment <= moments; moment++ {
		one := &campaign{f: c.f, o: c.o, est: c.est, moment: moment, cancels: true}
		s := &schedule{}
		s.reset(all.begin(c.o.strategyOf(seed), seed, c.est), c.o.MaxSteps)
		w := one.play(s)
		switch {
		case w.failure != nil:
		case !w.victim.begun:
			return &Failure{Kind: KindEmpty, Err: errors.New("the function has not called World.Victim: nothing says what to cancel")}
		case w.victim.moments == 0:
			return &Failure{Kind: KindEmpty, Err: errors.New("what was passed to World.Victim never awaits: it cannot be cancelled")}
		}
		if w.failure != nil {
			one.found(s, nil, seed, w.failure)
			one.failed.Schedules = moment + 1
			return one.failed
		}
		if moment == 0 {
			moments = w.victim.moments
		}
	}
	return nil
}
