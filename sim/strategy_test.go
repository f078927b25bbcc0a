package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// orders is how often a campaign sees each order in which three tasks end that take the
// same number of steps.
func orders(t *testing.T, s sim.Strategy, seeds int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	clean(t, func(ctx context.Context, _ *sim.World) error {
		order := ""
		err := crew(ctx, 3, func(ctx context.Context, i int) error {
			err := asyncio.Yield(ctx)
			order += fmt.Sprint(i)
			return err
		})
		seen[order]++
		return err
	}, sim.Options{Seeds: seeds, Strategies: []sim.Strategy{s}, Jobs: 1})
	return seen
}

func TestStrategy_AllOrdersAreSeen(t *testing.T) {
	for _, s := range []sim.Strategy{sim.Walk, sim.PCT, sim.POS, sim.Random} {
		seen := orders(t, s, 600)
		if len(seen) != 6 {
			t.Errorf("%s: seen %v, want all 6 orders", s, seen)
		}
		for order, n := range seen {
			if n < 20 { // of 100 on average
				t.Errorf("%s: order %s is seen %d times in 600 runs", s, order, n)
			}
		}
	}
	if seen := orders(t, sim.FIFO, 10); len(seen) != 1 || seen["012"] == 0 {
		t.Errorf("fifo: seen %v", seen)
	}
}

func TestExhaustive_SeesEveryScheduleOnce(t *testing.T) {
	seen := map[string]int{}
	r := clean(t, func(ctx context.Context, w *sim.World) error {
		order := ""
		err := crew(ctx, 4, func(ctx context.Context, i int) error { order += fmt.Sprint(i); return nil })
		seen[fmt.Sprint(order, w.Draw(3))]++
		return err
	}, sim.Options{Strategies: []sim.Strategy{sim.Exhaustive}})
	if !r.Complete || r.Schedules != 24*3 || len(seen) != 24*3 {
		t.Errorf("%d schedules, complete: %v, %d different; want 72", r.Schedules, r.Complete, len(seen))
	}
	r = clean(t, contend, sim.Options{Strategies: []sim.Strategy{sim.Exhaustive}, Seeds: 50})
	if r.Complete || r.Schedules != 50 {
		t.Errorf("%d schedules, complete: %v; want 50, and more to come", r.Schedules, r.Complete)
	}
}

// What fails is found again under its number alone.
func TestExhaustive_NumbersItsSchedules(t *testing.T) {
	o := sim.Options{Strategies: []sim.Strategy{sim.Exhaustive}, Seeds: 100_000}
	first := sim.Explore(inReverse, o).Failure
	if first == nil {
		t.Fatal("not found")
	}
	o.Seed, o.Seeds = first.Seed, 1
	second := sim.Explore(inReverse, o).Failure
	if second == nil || second.Seed != first.Seed || second.Hash != first.Hash {
		t.Errorf("first %v\nand then %v", first, second)
	}
}

// Two bugs of one kind lie close: what is reported is the one that was found.
func TestShrink_StaysWithTheBugThatWasFound(t *testing.T) {
	f := func(_ context.Context, w *sim.World) error {
		a, b := w.Draw(100), w.Draw(100)
		switch {
		case a > 50 && b > 50:
			return fmt.Errorf("with %d and %d: %w", a, b, errors.New("both are large"))
		case b > 50:
			return errors.New("one is large")
		}
		return nil
	}
	found := 0
	for seed := range uint64(50) {
		fifo := sim.Explore(f, sim.Options{Seed: seed + 1, Seeds: 1}).Failure
		if fifo == nil {
			continue
		}
		if innermost := errors.Unwrap(fifo.Err); innermost != nil {
			found++
			if want := []int32{51, 51}; !slices.Equal(fifo.Picks, want) && !near(fifo.Picks) {
				t.Errorf("seed %d: picks %v, want about %v", seed, fifo.Picks, want)
			}
		} else if len(fifo.Picks) != 2 || fifo.Picks[0] != 0 {
			t.Errorf("seed %d: picks %v of one", seed, fifo.Picks)
		}
	}
	if found == 0 {
		t.Error("no seed has found both")
	}
}

func near(picks []int32) bool { return len(picks) == 2 && picks[0] > 50 && picks[1] > 50 }

func TestShrink_EndsInTime(t *testing.T) {
	for name, f := range map[string]sim.Func{
		"10,000 decisions": func(ctx context.Context, w *sim.World) error {
			sum := 0
			for range 10_000 {
				sum += w.Draw(3)
			}
			if sum > 9_000 {
				return errors.New("too much")
			}
			return nil
		},
		"large numbers": func(ctx context.Context, w *sim.World) error {
			if a, b := w.Draw(math.MaxInt32), w.Draw(math.MaxInt32); a > 1<<20 && b > 1<<20 {
				return errors.New("too large")
			}
			return nil
		},
		"slow runs": func(ctx context.Context, w *sim.World) error {
			time.Sleep(time.Millisecond) // of the machine, as slow code would
			if a, b := w.Draw(1000), w.Draw(1000); a > 100 && b > 100 {
				return errors.New("slow")
			}
			return nil
		},
	} {
		began := time.Now()
		r := sim.Explore(f, sim.Options{Seeds: 100, Jobs: 1})
		if took := time.Since(began); r.Failure == nil || r.Failure.Kind != sim.KindError || took > 25*time.Second {
			t.Errorf("%s: %v after %v", name, r.Failure, took)
		} else {
			t.Log(name, took, len(r.Failure.Picks))
		}
	}
}
