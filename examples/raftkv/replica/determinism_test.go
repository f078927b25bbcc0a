package replica_test

import (
	"runtime"
	"testing"

	"github.com/asyncio-go/asyncio/sim"
)

// hashOf is the hash of all that happens under a seed.
func hashOf(t *testing.T, seed uint64) uint64 {
	t.Helper()
	r := sim.Explore(scenario(""), sim.Options{Seed: seed, Seeds: 1, Faults: sim.AllFaults})
	if r.Failure != nil {
		t.Fatalf("seed %d: %v", seed, r.Failure)
	}
	return r.Hash
}

// Raft draws from crypto/rand and has maps; nothing of that may be seen.
func TestCluster_SameSeedSameHash(t *testing.T) {
	hashes := map[uint64]uint64{}
	for seed := range uint64(5) {
		hash := hashOf(t, seed)
		if was, ok := hashes[hash]; ok {
			t.Errorf("seeds %d and %d have the same hash", was, seed)
		}
		hashes[hash] = seed
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for hash, seed := range hashes {
		if again := hashOf(t, seed); again != hash {
			t.Errorf("seed %d: hash %016x, and then %016x", seed, hash, again)
		}
	}
}
