package sim_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/sim"
)

// savedIn runs lostUpdate as a test of that name in an empty folder, and returns the file
// in which its schedule is saved.
func savedIn(t *testing.T, name string) (file string) {
	t.Helper()
	t.Chdir(t.TempDir())
	r := &recorder{TB: t, name: name}
	sim.Test(r, lostUpdate, sim.Options{})
	files, _ := filepath.Glob("testdata/sim/*")
	if !r.Failed() || len(files) != 1 || !strings.Contains(strings.Join(r.logs, "\n"), files[0]) {
		t.Fatalf("saved %q; told %q and %q", files, r.errors, r.logs)
	}
	return files[0]
}

// again is what a later test is told.
func again(t *testing.T, name string, f sim.Func) *recorder {
	r := &recorder{TB: t, name: name}
	sim.Test(r, f, sim.Options{})
	return r
}

func TestSaved_RunsFirstUntilItIsDeleted(t *testing.T) {
	file := savedIn(t, "TestMine/of 1")
	r := again(t, "TestMine/of 1", lostUpdate)
	if len(r.errors) != 1 || !strings.Contains(r.text(), "the schedule that is saved in "+file+" fails: sim: error: an update was lost") {
		t.Errorf("told %q", r.text())
	}
	if r := again(t, "TestMine/of 1", contend); r.Failed() || len(r.logs) == 0 || !strings.Contains(r.logs[0], "the program has changed since") {
		t.Errorf("after a change: told %q and %q", r.errors, r.logs)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if r := again(t, "TestMine/of 1", contend); r.Failed() || len(r.logs) != 0 {
		t.Errorf("after it was deleted: told %q and %q", r.errors, r.logs)
	}
}

func TestSaved_CorruptFilesAreNamed(t *testing.T) {
	file := savedIn(t, "TestMine")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	change := func(name string, value any) string {
		var all map[string]any
		if err := json.Unmarshal(good, &all); err != nil {
			t.Fatal(err)
		}
		all[name] = value
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for text, want := range map[string]string{
		"":                          "unexpected end of JSON input",
		string(good[:len(good)/2]):  "unexpected end of JSON input",
		string(good) + "x":          "invalid character 'x'",
		change("Version", 99):       "it has version 99 of the format",
		change("Test", "TestOther"): "it is that of TestOther",
		change("Picks", []int{-1}):  "decisions among",
		change("Of", []int{}):       "decisions among 0",
		change("Picks", "none"):     "cannot unmarshal",
		strings.ReplaceAll(string(good), "\t\t1", "\t\t-1"): "picks -1 of",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		r := again(t, "TestMine", lostUpdate)
		if len(r.errors) != 1 || !strings.Contains(r.text(), want) || !strings.Contains(r.text(), file) || !strings.Contains(r.text(), "delete it") {
			t.Errorf("%.60q: told %q, want %q", text, r.text(), want)
		}
	}
}

func TestSaved_EveryTestHasAFileOfItsOwn(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{
		"TestA", "TestA/b", "TestA__b", "TestA/b/c", "TestA/b__c", "TestA/b:c", "TestA/b*c", `TestA/b\c`, "TestA/ü", "TestA/ö",
		"TestA/../../../x", "TestA/" + strings.Repeat("long", 100), "TestA/" + strings.Repeat("long", 101), "TestA/CON", "TestA/b?",
	} {
		file := savedIn(t, name)
		base := filepath.Base(file)
		if other, ok := seen[strings.ToLower(base)]; ok || len(base) > 130 || strings.ContainsAny(base, `:*?\/ü`) {
			t.Errorf("%s is saved in %s, as is %q", name, base, other)
		}
		seen[strings.ToLower(base)] = name
		if r := again(t, name, lostUpdate); !strings.Contains(r.text(), "the schedule that is saved in") {
			t.Errorf("%s: not found again: %q", name, r.text())
		}
	}
}

func TestSaved_WhereNothingCanBeWritten(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere/at/all", "testdata/sim"); err != nil { // no folder can be made there
		t.Skip(err)
	}
	r := again(t, "TestMine", lostUpdate)
	if len(r.logs) != 1 || !strings.Contains(r.logs[0], "the schedule could not be saved: ") || !strings.Contains(r.text(), "an update was lost") {
		t.Errorf("told %q and %q", r.errors, r.logs)
	}
}
