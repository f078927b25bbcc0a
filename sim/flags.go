package sim

import (
	"flag"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The flags of a test binary. A program that is no test does not get them.
var flags struct {
	seed     *uint64 // nil if it is not given
	seeds    int
	strategy string
	json     string
	trace    bool
}

func init() {
	if !testing.Testing() {
		return
	}
	flag.Func("sim.seed", "run the schedule of this `seed` only", func(text string) error {
		seed, err := strconv.ParseUint(text, 10, 64)
		flags.seed = &seed
		return err
	})
	flag.IntVar(&flags.seeds, "sim.seeds", 0, "try so `many` schedules")
	flag.Func("sim.strategy", "take these `strategies` in turn, with commas between them", func(text string) error {
		flags.strategy = text
		for s := range strings.SplitSeq(text, ",") {
			if !Strategy(s).exists() {
				return fmt.Errorf("there is no strategy %q", s)
			}
		}
		return nil
	})
	flag.StringVar(&flags.json, "sim.json", "", "append the report of every campaign to this `file`, as a line of JSON")
	flag.BoolVar(&flags.trace, "sim.trace", false, "tell every step of a run that fails, or of the one of -sim.seed")
}

// flagged are the options with what the flags say.
func (o Options) flagged() Options {
	if flags.seed != nil {
		o.Seed, o.Seeds = *flags.seed, 1
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

// shortened are the options of a test under -short: a tenth of the seeds that it has
// itself chosen, but at least ten.
func (o Options) shortened() Options {
	if n := o.filled().Seeds; testing.Short() && flags.seed == nil && flags.seeds == 0 && n > 10 {
		o.Seeds = max(n/10, 10)
	}
	return o
}

// command runs a seed of a test again.
func command(test, pkg, seed string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	run := "'" + strings.ReplaceAll(strings.Join(parts, "/"), "'", `'\''`) + "'"
	s := "go test " + pkg + " -run " + run + " -sim.seed=" + seed
	if flags.strategy != "" {
		s += " -sim.strategy=" + flags.strategy
	}
	return s
}
