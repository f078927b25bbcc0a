package sim

import (
	"flag"
	"strings"
	"testing"
)

// The flags of a test binary. A program that is no test does not get them.
var flags struct {
	seed     int64
	seeds    int
	strategy string
	json     string
	trace    bool
}

func init() {
	flags.seed = -1
	if !testing.Testing() {
		return
	}
	flag.Int64Var(&flags.seed, "sim.seed", -1, "run the schedule of this `seed` only")
	flag.IntVar(&flags.seeds, "sim.seeds", 0, "try so `many` schedules")
	flag.StringVar(&flags.strategy, "sim.strategy", "", "take these `strategies` in turn, with commas between them")
	flag.StringVar(&flags.json, "sim.json", "", "append the report of every campaign to this `file`, as a line of JSON")
	flag.BoolVar(&flags.trace, "sim.trace", false, "tell every step of a run that fails, or of the one of -sim.seed")
}

// flagged are the options with what the flags say.
func (o Options) flagged() Options {
	if flags.seed >= 0 {
		o.Seed, o.Seeds = uint64(flags.seed), 1
	} else if flags.seeds > 0 {
		o.Seeds = flags.seeds
	}
	if flags.strategy != "" {
		o.Strategies = nil
		for s := range strings.SplitSeq(flags.strategy, ",") {
			o.Strategies = append(o.Strategies, Strategy(s))
		}
	}
	return o
}

// command runs a seed of a test again.
func command(test, pkg, seed string) string {
	s := "go test " + pkg + " -run '^" + strings.ReplaceAll(test, "/", "$/^") + "$' -sim.seed=" + seed
	if flags.strategy != "" {
		s += " -sim.strategy=" + flags.strategy
	}
	return s
}
