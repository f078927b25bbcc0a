package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// panicOf is what f panics with.
func panicOf(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}

func TestOptions_NonsensePanicsEarly(t *testing.T) {
	for want, o := range map[string]sim.Options{
		"are -1, 100000": {Seeds: -1, MaxSteps: 100_000},
		"none of them can be negative, and zero is the default": {Jobs: -1},
		"and -1s;":                               {Budget: -time.Second},
		"1000, -5,":                              {Seeds: 1000, MaxSteps: -5},
		`there is no strategy "best"; take one`:  {Strategies: []sim.Strategy{sim.Walk, "best"}},
		"Exhaustive cannot be mixed with others": {Strategies: []sim.Strategy{sim.Exhaustive, sim.PCT}},
		"seeds from 18446744073709551610 on":     {Seed: math.MaxUint64 - 5},
	} {
		ran := false
		f := func(context.Context, *sim.World) error { ran = true; return nil }
		for _, explore := range []func(){
			func() { sim.Explore(f, o) },
			func() { sim.Test(t, f, o) },
			func() { sim.CancelEverywhere(t, f, o) },
		} {
			if got := panicOf(explore); !strings.Contains(got, want) || ran {
				t.Errorf("%+v: panicked with %q, want %q; ran: %v", o, got, want, ran)
			}
		}
	}
	if got := panicOf(func() { sim.Explore(nil, sim.Options{}) }); !strings.Contains(got, "the function is nil") {
		t.Errorf("a nil function: %q", got)
	}
}

func TestExplore_TheLastSeedThereIs(t *testing.T) {
	f := func(_ context.Context, w *sim.World) error {
		if w.Draw(2) == 1 {
			return errors.New("broken")
		}
		return nil
	}
	for seed := uint64(math.MaxUint64); ; seed-- { // the highest that draws 1
		if r := sim.Explore(f, sim.Options{Seed: seed, Seeds: 1}); r.Failure != nil {
			if r.Failure.Seed != seed || r.Schedules != 1 {
				t.Errorf("seed %d, %d schedules; want %d and 1", r.Failure.Seed, r.Schedules, seed)
			}
			break
		}
	}
}

// Whatever the number of jobs, it is the lowest seed that counts.
func TestExplore_ReportsTheLowestSeed(t *testing.T) {
	var texts []string
	for _, jobs := range []int{1, 2, 7} {
		r := sim.Explore(inReverse, sim.Options{Seeds: 10_000, Jobs: jobs})
		if r.Failure == nil {
			t.Fatal("not found")
		}
		texts = append(texts, fmt.Sprint(r.Failure.Seed, r.Failure.Schedules, r.Failure.Picks, r.Failure.Hash, r.Failure.Err))
	}
	if texts = slices.Compact(texts); len(texts) != 1 {
		t.Errorf("the reports differ:\n%s", strings.Join(texts, "\n"))
	}
}

func TestExplore_BudgetEndsIt(t *testing.T) {
	for _, o := range []sim.Options{{}, {Strategies: []sim.Strategy{sim.Exhaustive}}} {
		o.Seeds, o.Budget = math.MaxInt, 20*time.Millisecond
		r := sim.Explore(contend, o)
		if r.Failure != nil || r.Complete || r.Schedules < 1 || r.Elapsed < o.Budget {
			t.Errorf("%d schedules in %v, complete: %v: %v", r.Schedules, r.Elapsed, r.Complete, r.Failure)
		}
	}
}

func TestExplore_NothingToChooseIsAFailure(t *testing.T) {
	r := sim.Explore(func(ctx context.Context, _ *sim.World) error { return nap(ctx) }, sim.Options{Seeds: 2})
	if r.Failure == nil || r.Failure.Kind != sim.KindEmpty {
		t.Errorf("told %v", r.Failure)
	}
}

func TestExplore_StrayRunsAreFound(t *testing.T) {
	runs := atomic.Int64{}
	f := func(ctx context.Context, _ *sim.World) error {
		for range runs.Add(1) % 7 {
			if err := nap(ctx); err != nil {
				return err
			}
		}
		return crew(ctx, 2, func(ctx context.Context, _ int) error { return nap(ctx) })
	}
	for _, o := range []sim.Options{{}, {Seed: 5}, {Strategies: []sim.Strategy{sim.Exhaustive}}} {
		r := sim.Explore(f, o)
		if r.Failure == nil || r.Failure.Kind != sim.KindStrayed || !strings.Contains(r.Failure.Error(), "two runs of one schedule part") {
			t.Errorf("%+v: told %v", o, r.Failure)
		}
	}
}

func TestExplore_SometimesAndReach(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		sim.Sometimes(ctx, w.Chance(50), "heads")
		sim.Sometimes(ctx, false, "the edge")
		sim.Reachable(ctx, "here")
		return nil
	}
	r := sim.Explore(f, sim.Options{Seeds: 50, Reach: []string{"here", "there"}})
	if r.Failure == nil || r.Failure.Kind != sim.KindMissed ||
		r.Failure.Err.Error() != `"there" was never reached; sometimes "the edge": it was never true` {
		t.Errorf("told %v", r.Failure)
	}
	// One seed is no campaign: it may be run again without seeing everything.
	if r := sim.Explore(f, sim.Options{Seeds: 1, Seed: 3, Reach: []string{"there"}}); r.Failure != nil {
		t.Errorf("one seed: %v", r.Failure)
	}
}

func TestAssert_FailsTheRun(t *testing.T) {
	for want, f := range map[string]sim.Func{
		`assertion: always "small": it does not hold`: func(ctx context.Context, _ *sim.World) error {
			sim.Always(ctx, true, "large")
			sim.Always(ctx, false, "small")
			return nil
		},
		`assertion: unreachable "here": it was reached`: func(ctx context.Context, _ *sim.World) error {
			sim.Unreachable(ctx, "here")
			return nil
		},
		`assertion: invariant "n is 0": it is 1`: func(ctx context.Context, w *sim.World) error {
			n := 0
			w.Invariant("n is 0", func() error {
				if n != 0 {
					return fmt.Errorf("it is %d", n)
				}
				return nil
			})
			n = 1 // in the middle of a step nobody looks
			n = 0
			if err := nap(ctx); err != nil {
				return err
			}
			n = 1
			return errors.Join(asyncio.Yield(ctx), errors.New("too late"))
		},
	} {
		r := sim.Explore(f, sim.Options{Seeds: 1})
		if r.Failure == nil || !strings.Contains(r.Failure.Error(), want) {
			t.Errorf("told %v, want %q", r.Failure, want)
		}
	}
	sim.Always(t.Context(), false, "outside of simulation")
	sim.Unreachable(t.Context(), "outside of simulation")
	sim.Sometimes(t.Context(), false, "outside of simulation")
	if sim.Buggify(t.Context()) || sim.From(t.Context()) != nil {
		t.Error("there is a world outside of simulation")
	}
}

func TestDraw_Bounds(t *testing.T) {
	for _, n := range []int{0, -1, math.MaxInt32 + 1} {
		r := sim.Explore(func(_ context.Context, w *sim.World) error { w.Draw(n); return nil }, sim.Options{Seeds: 1})
		if r.Failure == nil || r.Failure.Kind != sim.KindPanic || !strings.Contains(r.Failure.Error(), fmt.Sprintf("World.Draw(%d)", n)) {
			t.Errorf("Draw(%d): %v", n, r.Failure)
		}
	}
	least, most := math.MaxInt32, 0
	clean(t, func(_ context.Context, w *sim.World) error {
		if w.Draw(1) != 0 || w.Chance(0) {
			return errors.New("out of bounds")
		}
		v := w.Draw(math.MaxInt32)
		least, most = min(least, v), max(most, v)
		return nil
	}, sim.Options{Seeds: 300, Jobs: 1})
	if least > 100_000_000 || most < 2_000_000_000 {
		t.Errorf("drawn from %d to %d", least, most)
	}
}
