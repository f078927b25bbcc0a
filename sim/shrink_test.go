package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// inReverse fails if three tasks, of which each takes more steps than the one before it,
// end in reverse.
func inReverse(ctx context.Context, _ *sim.World) error {
	var ended []int
	err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		for i := range 3 {
			name := asyncio.TaskOptions{Name: fmt.Sprint("task ", i), Group: g}
			asyncio.SpawnWith(ctx, name, asyncio.Void(func(ctx context.Context) error {
				for range 3 * i {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
				}
				ended = append(ended, i)
				return nil
			}))
		}
		return nil
	})
	if err == nil && slices.Equal(ended, []int{2, 1, 0}) {
		err = errors.New("in reverse")
	}
	return err
}

func TestShrink_TasksThatRunAheadDoSoInOneGo(t *testing.T) {
	for i := range uint64(5) {
		f := sim.Explore(inReverse, sim.Options{Seeds: 10_000, Seed: i * 1000, Jobs: 1}).Failure
		if f == nil {
			t.Fatal("not found")
		}
		if len(f.Deviations) > 3 {
			t.Errorf("from seed %d on it takes %d deviations: %v", i*1000, len(f.Deviations), f.Deviations)
		}
		steps := 0
		for _, d := range f.Deviations {
			if steps += d.Steps; d.Steps > 1 && !strings.Contains(f.Error(), fmt.Sprintf("at steps %d to %d %s", d.Step, d.Step+d.Steps-1, d.What)) {
				t.Errorf("%v is not in the report:\n%v", d, f)
			}
		}
		if steps != 11 {
			t.Errorf("%d steps are out of order, and 7 of task 2 and 4 of task 1 have to be: %v", steps, f.Deviations)
		}
	}
}

// Runs of many steps are tried less often.
func TestShrink_TakesABoundedNumberOfSteps(t *testing.T) {
	const steps = 50_000
	runs := 0
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		runs++
		drawn := 0
		for range steps {
			drawn += w.Draw(2)
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		if drawn > steps/4 {
			return errors.New("too many")
		}
		return nil
	}, sim.Options{Jobs: 1})
	if r.Failure == nil {
		t.Fatal("not found")
	}
	if extra := runs - r.Schedules; extra > 15 {
		t.Errorf("%d runs beside the %d schedules", extra, r.Schedules)
	}
}
