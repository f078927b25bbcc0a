//go:build linux

package aioexec_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/asyncio-go/asyncio/aioexec"
	"github.com/asyncio-go/asyncio/sim"
)

func TestRun_InASimulationDoesNotStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ran")
	r := sim.Explore(func(ctx context.Context, _ *sim.World) error {
		if err := sh("touch " + file).Run(ctx); err == nil {
			t.Error("Run: no error")
		}
		if err := aioexec.Command("true").Start(ctx); err == nil {
			t.Error("Start: no error")
		}
		return nil
	}, sim.Options{Seeds: 2})
	if r.Failure == nil || r.Failure.Kind != sim.KindFence {
		t.Errorf("the simulation ends with %v, want a failure of the fence", r.Failure)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the program has run")
	}
}
