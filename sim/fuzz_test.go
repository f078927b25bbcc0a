package sim_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/sim"
)

// FuzzPlanted has a bug if it is asked to: see TestFuzz_FindsAPlantedBug.
func FuzzPlanted(f *testing.F) {
	planted := os.Getenv("SIM_PLANTED") != ""
	sim.Fuzz(f, func(ctx context.Context, w *sim.World) error {
		if !planted {
			return contend(ctx, w)
		}
		if a, b := w.Draw(1000), w.Draw(4); a > 255 && b == 1 { // what one byte does not reach
			return errors.New("far out")
		}
		return nil
	}, sim.Options{})
}

func TestFuzz_FindsAPlantedBug(t *testing.T) {
	c := exec.Command(os.Args[0], "-test.run=^FuzzPlanted$")
	c.Env = append(os.Environ(), "SIM_PLANTED=1")
	out, err := c.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("sim: error: far out")) || !strings.Contains(string(out), "(fuzz)") {
		t.Errorf("%v:\n%s", err, out)
	}
}
