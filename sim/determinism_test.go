package sim_test

import (
	"flag"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/sim"
)

// The proof that a seed is a run: the hashes of programs under a number of seeds are kept
// in a file, so whoever runs the tests, with whatever build on whatever machine, compares
// them with those of everybody else. A change of what the loop or the network does in a
// run changes them; -update writes them anew.

const hashesFile = "testdata/hashes.txt"

var update = flag.Bool("update", false, "write the golden files anew")

// hashesOf are those of a program, a line each.
func hashesOf(name string, f sim.Func, o sim.Options) (string, error) {
	all, err := sim.Hashes(f, o)
	var b strings.Builder
	for _, line := range all {
		b.WriteString(name + ": " + line + "\n")
	}
	return b.String(), err
}

// hashes are those of all programs, under each strategy.
func hashes(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, p := range programs {
		p.o.Seeds, p.o.Strategies = 13, []sim.Strategy{sim.Walk, sim.PCT, sim.POS, sim.Random}
		lines, err := hashesOf(p.name, p.f, p.o)
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		b.WriteString(lines)
	}
	return b.String()
}

// same compares hashes with what they should be.
func same(t *testing.T, got, want string) {
	t.Helper()
	w := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(w) || line != w[i] {
			t.Fatalf("%s, line %d: got %q, want %q; if the change is right, go test ./sim -run Determinism -update",
				hashesFile, i+1, line, append(w, "no more")[min(i, len(w))])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s has more lines than there are hashes", hashesFile)
	}
}

func TestDeterminism_TheHashesAreThoseOfTheFile(t *testing.T) {
	got := hashes(t)
	if *update {
		if err := os.WriteFile(hashesFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(hashesFile)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, strings.ReplaceAll(string(want), "\r\n", "\n"))
	same(t, hashes(t), got) // and not only the first time
}

func TestDeterminism_InOtherProcesses(t *testing.T) {
	if os.Getenv("SIM_CHILD") != "" {
		t.Log("this is one of them")
		return
	}
	for _, env := range []string{"GOMAXPROCS=1", "GOMAXPROCS=2", "GOGC=1", "ASYNCIODEBUG=1", "GODEBUG=gcstoptheworld=2"} {
		t.Run(env, func(t *testing.T) {
			c := exec.Command(os.Args[0], "-test.run=^TestDeterminism_TheHashesAreThoseOfTheFile$", "-test.v")
			c.Env = append(os.Environ(), "SIM_CHILD=1", env)
			out, err := c.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: TestDeterminism_TheHashes") {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

func TestDeterminism_WhateverElseTheProcessDoes(t *testing.T) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	want := hashes(t)
	for _, p := range programs { // at the same time, on other loops
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.o.Seeds, p.o.Strategies = 13, []sim.Strategy{sim.Walk, sim.PCT, sim.POS, sim.Random}
			lines, err := hashesOf(p.name, p.f, p.o)
			if err != nil || !strings.Contains(want, lines) {
				t.Errorf("among others the hashes are\n%s%v", lines, err)
			}
		})
	}
}

// What a worker keeps from run to run must not be seen by the next one.
func TestDeterminism_NoRunSeesThoseBeforeIt(t *testing.T) {
	for _, p := range programs {
		o := p.o
		o.Seeds = 9
		together, err := hashesOf(p.name, p.f, o)
		if err != nil {
			t.Error(err)
			continue
		}
		var alone string
		for o.Seed, o.Seeds = 0, 1; o.Seed < 9; o.Seed++ {
			line, err := hashesOf(p.name, p.f, o)
			if err != nil {
				t.Error(err)
			}
			alone += line
		}
		if alone != together {
			t.Errorf("alone the hashes are\n%s, after others\n%s", alone, together)
		}
	}
}
