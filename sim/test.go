package sim

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Run runs f once, in FIFO order, on virtual time: an hour of sleeps takes no time. The
// test fails as the run does. It is for tests that need time and not schedules.
func Run(t testing.TB, f Func) {
	t.Helper()
	c := newCampaign(f, Options{Seeds: 1})
	s := &schedule{}
	s.reset(fifo{}, c.o.MaxSteps)
	s.names = newNames()
	w := c.play(s)
	if w.failure != nil {
		f := c.told(w, nil)
		f.Strategy, f.Schedules = FIFO, 1
		t.Error(f)
	}
}

// Test runs f under many schedules, and fails the test with a [Failure] as soon as one
// fails. The schedule is kept in testdata/sim, under the name of the test, and is the
// first that later tests run, until the file is deleted. A test that never had
// anything to choose fails, too: it has explored nothing.
//
// The flags -sim.seed, -sim.seeds and -sim.strategy override the options.
func Test(t testing.TB, f Func, o Options) {
	t.Helper()
	c := newCampaign(f, o.flagged().shortened())
	c.brief = testing.Short()
	c.replay = func(seed uint64) string {
		return command(t.Name(), packageOf(f), strconv.FormatUint(seed, 10))
	}
	if flags.seed == nil && !replaySaved(t, c) {
		return
	}
	r := c.explore()
	writeJSON(t, r)
	switch {
	case r.Failure != nil:
		if flags.seed == nil && r.Failure.Picks != nil {
			t.Log(save(t.Name(), r.Failure))
		}
		t.Error(r.Failure)
	case flags.seed != nil && flags.trace:
		t.Log(c.traced(*flags.seed))
	case c.o.exhaustive() && !r.Complete:
		t.Logf("sim: %d schedules tried in %v, and there are more", r.Schedules, r.Elapsed)
	}
}

// packageOf is the import path of the package that f is declared in.
func packageOf(f Func) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	slash := strings.LastIndexByte(name, '/') + 1
	pkg, _, _ := strings.Cut(name[slash:], ".")
	return strings.TrimSuffix(name[:slash]+pkg, "_test")
}

// writeJSON appends a report to the file of -sim.json.
func writeJSON(t testing.TB, r *Report) {
	if flags.json == "" {
		return
	}
	line, err := json.Marshal(struct {
		Test string
		*Report
	}{t.Name(), r})
	if err == nil {
		err = appendLine(flags.json, line)
	}
	if err != nil {
		t.Errorf("sim: -sim.json: %v", err)
	}
}

func appendLine(name string, line []byte) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// traced runs a seed once more and tells its steps.
func (c *campaign) traced(seed uint64) string {
	if c.o.exhaustive() {
		return fmt.Sprintf("sim: schedule %d and all before it passed; only one that fails is told step by step", seed)
	}
	s := &schedule{}
	s.reset(newStrategies().begin(c.o.strategyOf(seed), seed, c.est), c.o.MaxSteps)
	s.names = newNames()
	w := c.play(s)
	var b strings.Builder
	fmt.Fprintf(&b, "sim: seed %d (%s) passed in %d steps, hash %016x\n", seed, c.o.strategyOf(seed), len(s.steps), s.hash)
	section(&b, "steps", s.names.events)
	section(&b, "log", w.log)
	return strings.TrimSuffix(b.String(), "\n")
}
