package replica_test

import (
	"flag"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio/sim"
)

var first = flag.Uint64("raftkv.first", 0, "begin with this `seed`")

// virtual is how long the clusters of all runs have lived.
var virtual atomic.Int64

// By hand, with more: go test -run 'Linearizable$' -v ./replica -sim.seeds=100000 -timeout 0
func TestCluster_Linearizable(t *testing.T) { explore(t, 0) }

// The faults of the simulator come on top of those of the scenario.
func TestCluster_LinearizableAfterAllFaults(t *testing.T) { explore(t, sim.AllFaults) }

func explore(t *testing.T, faults sim.Faults) {
	began, before := time.Now(), virtual.Load()
	sim.Test(t, scenario(""), sim.Options{Seeds: 300, Seed: *first, Faults: faults})
	t.Logf("%v of clusters' lives in %v", time.Duration(virtual.Load()-before), time.Since(began))
}
