package replica_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/asyncio-go/asyncio/sim"
)

var errEnd = errors.New("the end")

// hashOf is the hash of all that happens under a seed.
func hashOf(t *testing.T, seed uint64) uint64 {
	t.Helper()
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		if err := scenario("")(ctx, w); err != nil {
			return err
		}
		return errEnd // only a failure tells its hash
	}, sim.Options{Seed: seed, Seeds: 1, Shrink: -1, Faults: sim.AllFaults})
	if !errors.Is(r.Failure, errEnd) {
		t.Fatalf("seed %d: %v", seed, r.Failure)
	}
	return r.Failure.Hash
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
