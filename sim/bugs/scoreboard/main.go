// Command scoreboard prints how soon the simulator finds the bugs of sim/bugs, and
// whether it leaves their repaired versions alone, as tables in Markdown.
//
//	go run ./sim/bugs/scoreboard
//	go run ./sim/bugs/scoreboard -set dozen -starts 200 -each
//	go run ./sim/bugs/scoreboard -fixed 100000
//
// It fails if a bug is not found or a repaired version fails.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/asyncio-go/asyncio/sim/bugs"
	"github.com/asyncio-go/asyncio/sim/bugs/aio"
	"github.com/asyncio-go/asyncio/sim/bugs/goker"
	"github.com/asyncio-go/asyncio/sim/bugs/shapes"
)

// A set is bugs of a kind.
type set struct {
	name, title string
	bugs        func() []bugs.Bug
}

var sets = []set{
	{"aio", "Bugs of asyncio and its libraries", aio.All},
	{"goker", "GoBench's blocking bugs", goker.All},
	{"shapes", "The shapes of SCTBench", shapes.All},
	{"dozen", "A dozen small kernels", shapes.Dozen},
}

// A plan is what is asked for.
type plan struct {
	seeds, fixed, starts, jobs int
	each                       bool
}

func main() {
	var p plan
	flag.IntVar(&p.seeds, "seeds", 10_000, "how many schedules a campaign tries")
	flag.IntVar(&p.fixed, "fixed", 1000, "how many schedules the repaired versions must survive")
	flag.IntVar(&p.starts, "starts", 1, "how many campaigns look for each bug, each from another first seed")
	flag.IntVar(&p.jobs, "jobs", 1, "how many schedules run at a time")
	flag.BoolVar(&p.each, "each", false, "have a column for each strategy alone")
	only := flag.String("set", "", "only these sets, with commas in between: aio, goker, shapes, dozen")
	flag.Parse()
	chosen, err := choose(*only)
	if err != nil || flag.NArg() > 0 || p.seeds < 1 || p.starts < 1 || p.jobs < 1 {
		fmt.Fprintln(os.Stderr, "scoreboard: unknown set or argument, or a number that is not positive; -help lists the flags", err)
		os.Exit(2)
	}
	failed := false
	for _, s := range chosen {
		rows := p.measure(s.bugs())
		print(os.Stdout, s.title, p, rows)
		failed = failed || slices.ContainsFunc(rows, row.failed)
	}
	if failed {
		os.Exit(1)
	}
}

// choose are the sets with the names, or all.
func choose(names string) ([]set, error) {
	if names == "" {
		return sets, nil
	}
	var chosen []set
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(sets, func(s set) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no set %q", name)
		}
		chosen = append(chosen, sets[i])
	}
	return chosen, nil
}
