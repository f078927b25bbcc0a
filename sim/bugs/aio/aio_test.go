package aio_test

import (
	"testing"

	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs/aio"
)

func TestAll_BuggyIsFoundAndFixedIsNot(t *testing.T) {
	for _, b := range aio.All() {
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
