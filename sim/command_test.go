package sim_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/sim"
)

// TestPlanted is run in other processes, where it fails.
func TestPlanted(t *testing.T) {
	if os.Getenv("SIM_PLANTED") == "" {
		t.Log("it fails in the processes of TestCommand only")
		return
	}
	t.Run("it's (a) bug+", func(t *testing.T) { sim.Test(t, lostUpdate, sim.Options{Jobs: 1}) })
	t.Run("other", func(t *testing.T) { sim.Test(t, contend, sim.Options{Seeds: 5}) })
	t.Run("everywhere", func(t *testing.T) { sim.CancelEverywhere(t, grantLost, sim.Options{}) })
	t.Run("tree", func(t *testing.T) {
		sim.Test(t, inReverse, sim.Options{Seeds: 100_000, Strategies: []sim.Strategy{sim.Exhaustive}})
	})
}

// planted runs the test binary, in a folder of its own, by what a shell makes of args.
func planted(t *testing.T, args string) string {
	t.Helper()
	if os.Getenv("SIM_PLANTED") != "" {
		t.Fatal("this is one of the other processes")
	}
	c := exec.Command("sh", "-c", os.Args[0]+" -test.v "+args)
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), "SIM_PLANTED=1")
	out, _ := c.CombinedOutput() // the test fails, so the error says nothing
	return string(out)
}

var (
	hashOf   = regexp.MustCompile(`seed \d+ \(.*\), schedule \d+ of the campaign, at \S+, hash [0-9a-f]{16}`)
	replayOf = regexp.MustCompile(`replay: go test github.com/asyncio-go/asyncio/sim -run (.*)`)
	numbers  = regexp.MustCompile(`schedule \d+ of`)
)

// seedAndHash are those of a report, without how many schedules it took.
func seedAndHash(out string) string { return numbers.ReplaceAllString(hashOf.FindString(out), "") }

func TestCommand_ReplaysTheFailure(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell")
	}
	for _, name := range []string{"it's", "everywhere", "tree"} {
		first := planted(t, "-test.run=^TestPlanted$/"+strings.ReplaceAll(name, "'", `\'`))
		m := replayOf.FindStringSubmatch(first)
		if m == nil {
			t.Fatalf("%s: no command in\n%s", name, first)
		}
		second := planted(t, "-test.run "+m[1])
		if seedAndHash(first) == "" || seedAndHash(first) != seedAndHash(second) || strings.Contains(second, "TestPlanted/other") {
			t.Errorf("%s: first\n%s\nand then, with %s\n%s", name, first, m[1], second)
		}
	}
}

func TestCommand_Flags(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell")
	}
	for _, c := range []struct{ args, want, not string }{
		{`-test.run=^TestPlanted\$/other -sim.seed=3 -sim.trace`, `sim: seed 3 (pos) passed in \d+ steps, hash [0-9a-f]{16}\n(?s:.*)steps:\n.* step 1: .Task-1.`, "FAIL"},
		{`-test.run=^TestPlanted\$/other -sim.seed=1 -sim.strategy=random,pct -sim.trace`, `seed 1 \(random\) passed`, "FAIL"},
		{`-test.run=^TestPlanted\$/other -sim.seed=18446744073709551615`, `--- PASS: TestPlanted/other`, "FAIL"},
		{`-test.run=^TestPlanted\$/other -sim.seed=-1`, `invalid value "-1" for flag -sim.seed`, "PASS"},
		{`-test.run=^TestPlanted\$/other -sim.strategy=best`, `invalid value "best" for flag -sim.strategy: there is no strategy "best"`, "PASS"},
		{`-test.run=^TestPlanted\$/it -sim.seeds=1`, `--- PASS: TestPlanted`, "FAIL"},
		{`-test.run=^TestPlanted\$/tree -sim.seed=0 -sim.trace`, `--- PASS: TestPlanted/tree`, "panic"},
	} {
		c.want = strings.ReplaceAll(c.want, "seed 3 (pos)", `seed 3 \(pos\)`)
		out := planted(t, c.args)
		if !regexp.MustCompile(c.want).MatchString(out) || strings.Contains(out, c.not) {
			t.Errorf("%s: told\n%s, want %s", c.args, out, c.want)
		}
	}
}

func TestCommand_JSON(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell")
	}
	file := filepath.Join(t.TempDir(), "reports")
	planted(t, "-test.run='^TestPlanted$/^(it|other)' -sim.json="+file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %s", len(lines), text)
	}
	type report struct {
		Test      string
		Schedules int
		Failure   *struct {
			Kind, Err, Hash string
			Picks           []int
		}
	}
	var bad, good report
	if err := json.Unmarshal([]byte(lines[0]), &bad); err != nil || bad.Failure == nil {
		t.Fatalf("%v: %s", err, lines[0])
	}
	if bad.Failure.Kind != "error" || bad.Failure.Err != "an update was lost" || len(bad.Failure.Hash) != 16 || len(bad.Failure.Picks) == 0 {
		t.Errorf("the report of the failure is %s", lines[0])
	}
	if err := json.Unmarshal([]byte(lines[1]), &good); err != nil || good.Test != "TestPlanted/other" || good.Schedules != 5 || good.Failure != nil {
		t.Errorf("the other report is %s: %v", lines[1], err)
	}
}
