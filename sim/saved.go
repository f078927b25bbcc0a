package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// savedVersion is that of the format of saved schedules.
const savedVersion = 1

// A saved is a schedule in testdata/sim.
type saved struct {
	Version  int
	Test     string
	Kind     Kind
	Error    string
	Schedule string // in words
	Seed     uint64
	Strategy Strategy
	Picks    []int32
	Of       []int32 // of how many each was picked
	Hash     string
}

func savedName(test string) string {
	return filepath.Join("testdata", "sim", strings.NewReplacer("/", "__", " ", "_").Replace(test)+".json")
}

// save keeps the schedule of a failure for later tests, and says where.
func save(test string, f *Failure) string {
	name := savedName(test)
	kept := saved{savedVersion, test, f.Kind, f.Err.Error(), f.words(), f.Seed, f.Strategy, f.Picks, f.of, hashText(f.Hash)}
	text, err := json.MarshalIndent(kept, "", "\t")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o755)
	}
	if err == nil {
		err = os.WriteFile(name, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Sprintf("sim: the schedule could not be saved: %v", err)
	}
	return "sim: the schedule is saved in " + name + ", and runs first from now on; delete it when it has served its time"
}

func hashText(hash uint64) string { return fmt.Sprintf("%016x", hash) }

// replaySaved runs the saved schedule of a test, if there is one. It reports whether
// the test may go on.
func replaySaved(t testing.TB, c *campaign) bool {
	t.Helper()
	name := savedName(t.Name())
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	var kept saved
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err == nil && kept.Version != savedVersion {
		err = fmt.Errorf("it has version %d of the format, and this is version %d", kept.Version, savedVersion)
	}
	if err != nil {
		t.Errorf("sim: the saved schedule %s cannot be read: %v; delete it", name, err)
		return false
	}
	s := &schedule{}
	s.reset(&replay{picks: kept.Picks, of: kept.Of}, c.o.MaxSteps)
	s.names = newNames()
	w := c.play(s)
	if s.strayed >= 0 {
		t.Logf("sim: the saved schedule %s departs from its record at decision %d: the program has changed since; "+
			"if it has nothing to say any more, delete it", name, s.strayed)
	} else if w.failure != nil && hashText(s.hash) != kept.Hash {
		t.Logf("sim: the saved schedule %s departs from its record behind its last decision", name)
	}
	if w.failure == nil {
		return true
	}
	f := c.told(w, nil)
	f.Seed, f.Strategy, f.replay = kept.Seed, kept.Strategy, c.replay(kept.Seed)
	t.Errorf("the schedule that is saved in %s fails: %v", name, f)
	return false
}
