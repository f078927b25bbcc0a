package shapes_test

import (
	"math"
	"os"
	"testing"

	"github.com/asyncio-go/asyncio/internal/asynciotest"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
	"github.com/asyncio-go/asyncio/sim/bugs/bugstest"
	"github.com/asyncio-go/asyncio/sim/bugs/shapes"
)

func TestMain(m *testing.M) { os.Exit(asynciotest.Run(m)) }

func TestAll_BuggyIsFound(t *testing.T) { bugstest.Found(t, shapes.All()) }

func TestAll_RepairedSurvives(t *testing.T) { bugstest.Survives(t, shapes.All()) }

func TestDozen_BuggyIsFound(t *testing.T) { bugstest.Found(t, shapes.Dozen()) }

func TestDozen_RepairedSurvives(t *testing.T) { bugstest.Survives(t, shapes.Dozen()) }

func TestDozen_FIFOFindsAtMostTwo(t *testing.T) {
	n := 0
	for _, b := range shapes.Dozen() {
		if bugs.Found(sim.Explore(b.Buggy, sim.Options{Seeds: 1}).Failure) {
			n++
		}
	}
	if n > 2 {
		t.Errorf("plain FIFO order finds %d of the dozen: they say nothing of the strategies", n)
	}
}

func TestDozen_ThePortfolioNeedsNineSchedules(t *testing.T) {
	const campaigns, bar = 10, 9.0
	logs, n := 0.0, 0.0
	for _, b := range shapes.Dozen() {
		for i := range uint64(campaigns) {
			f := sim.Explore(b.Buggy, sim.Options{Seeds: 10_000, Seed: i * 1_000_003, Jobs: 1}).Failure
			if f == nil {
				t.Fatalf("%s is not found from seed %d on", b.Name, i*1_000_003)
			}
			logs += math.Log(float64(f.Schedules))
			n++
		}
	}
	if mean := math.Exp(logs / n); mean > bar {
		t.Errorf("the dozen takes %.1f schedules on geometric mean, more than %v", mean, bar)
	}
}
