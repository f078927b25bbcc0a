package replica_test

import (
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
	"github.com/asyncio-go/asyncio/sim"
)

// enough is within how many schedules every bug is found.
const enough = 3000

// The table of what is found, and how soon: go test -run Planted -v
func TestPlanted_AreFound(t *testing.T) {
	t.Logf("%-42s %9s %7s  %s", "bug", "schedules", "seconds", "seen as")
	for _, bug := range replica.Bugs {
		r := sim.Explore(scenario(bug), sim.Options{Seeds: enough})
		if r.Failure == nil {
			t.Errorf("%-42s not found in %d schedules", bug, r.Schedules)
			continue
		}
		what, _, _ := strings.Cut(r.Failure.Err.Error(), "\n")
		t.Logf("%-42s %9d %7.1f  %s: %.90s", bug, r.Failure.Schedules, r.Elapsed.Seconds(), r.Failure.Kind, what)
	}
}
