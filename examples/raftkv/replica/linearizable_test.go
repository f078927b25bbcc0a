package replica_test

import (
	"testing"

	"github.com/asyncio-go/asyncio/sim"
)

// By hand, with more: go test -run Linearizable -sim.seeds=100000 -timeout 0
func TestCluster_Linearizable(t *testing.T) {
	sim.Test(t, scenario(""), sim.Options{Seeds: 300})
}
