package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
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

// savedName is the file of a test. Names that are long, or that not every system takes,
// are cut and told apart by a number.
func savedName(test string) string {
	plain := strings.ReplaceAll(test, "/", "__")
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-=.,", r):
			return r
		}
		return -1
	}, plain)
	if name != plain || strings.Contains(test, "__") || len(name) > maxSavedName {
		h := fnv.New32a()
		h.Write([]byte(test))
		name = fmt.Sprintf("%s-%08x", name[:min(len(name), maxSavedName)], h.Sum32())
	}
	return filepath.Join("testdata", "sim", name+".json")
}

// maxSavedName bounds the names of files.
const maxSavedName = 100

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

// check finds out whether a file can be what was saved for a test.
func (k *saved) check(test string) error {
	switch {
	case k.Version != savedVersion:
		return fmt.Errorf("it has version %d of the format, and this is version %d", k.Version, savedVersion)
	case k.Test != test:
		return fmt.Errorf("it is that of %s", k.Test)
	case len(k.Of) != len(k.Picks):
		return fmt.Errorf("it has %d decisions among %d", len(k.Picks), len(k.Of))
	}
	for i, p := range k.Picks {
		if p < 0 || p >= k.Of[i] {
			return fmt.Errorf("decision %d picks %d of %d", i, p, k.Of[i])
		}
	}
	return nil
}

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
	if err == nil {
		err = kept.check(t.Name())
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
