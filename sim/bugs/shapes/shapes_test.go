package shapes_test

import (
	"testing"

	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
	"github.com/asyncio-go/asyncio/sim/bugs/shapes"
)

func TestAll_BuggyIsFoundAndFixedIsNot(t *testing.T) { foundAndNot(t, shapes.All()) }

func foundAndNot(t *testing.T, all []bugs.Bug) {
	for _, b := range all {
		t.Run(b.Name, func(t *testing.T) {
			r := sim.Explore(b.Buggy, sim.Options{Seeds: 10_000, Jobs: 1})
			if r.Failure == nil {
				t.Errorf("%d schedules: not found", r.Schedules)
			} else {
				t.Log(r.Failure.Schedules, len(r.Failure.Deviations), r.Failure)
			}
			if r := sim.Explore(b.Fixed, sim.Options{Seeds: 1000, Jobs: 1}); r.Failure != nil {
				t.Errorf("fixed: %v", r.Failure)
			}
		})
	}
}

func TestDozen_BuggyIsFoundAndFixedIsNot(t *testing.T) { foundAndNot(t, shapes.Dozen()) }
