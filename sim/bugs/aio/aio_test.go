package aio_test

import (
	"os"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/internal/asynciotest"
	"github.com/asyncio-go/asyncio/sim/bugs/aio"
	"github.com/asyncio-go/asyncio/sim/bugs/bugstest"
)

func TestMain(m *testing.M) { os.Exit(asynciotest.Run(m)) }

func TestAll_BuggyIsFound(t *testing.T) { bugstest.Found(t, aio.All()) }

func TestAll_RepairedSurvives(t *testing.T) { bugstest.Survives(t, aio.All()) }

func TestAll_AreManyAndDifferent(t *testing.T) {
	all := aio.All()
	if len(all) < 24 {
		t.Errorf("%d bugs, want at least 24", len(all))
	}
	names := map[string]bool{}
	for _, b := range all {
		if names[b.Name] || b.What == "" || !strings.HasPrefix(b.From, "https://") {
			t.Errorf("%q from %q is there twice, or lacks its source or what goes wrong", b.Name, b.From)
		}
		names[b.Name] = true
	}
}
