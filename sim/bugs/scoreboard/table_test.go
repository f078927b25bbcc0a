package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

func TestMain(m *testing.M) { os.Exit(asynciotest.Run(m)) }

// two runs two tasks, of which the second may come first, and then fails if it is told to.
func two(fails func(secondFirst bool) bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var order []int
		err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			for i := range 2 {
				g.Go(func(context.Context) error {
					order = append(order, i)
					return nil
				})
			}
			return nil
		})
		if err == nil && fails(order[0] == 1) {
			err = errors.New("fails")
		}
		return err
	}
}

var (
	never   = two(func(bool) bool { return false })
	always  = two(func(bool) bool { return true })
	ordered = two(func(secondFirst bool) bool { return secondFirst })
)

func table(p plan, all ...bugs.Bug) (text string, rows []row) {
	rows = p.measure(all)
	var b strings.Builder
	print(&b, "A set", p, rows)
	return b.String(), rows
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
}

func TestTable_FoundBugs(t *testing.T) {
	p := plan{seeds: 100, fixed: 10, starts: 3, jobs: 1, each: true}
	text, rows := table(p, bugs.Bug{Name: "blatant", Buggy: always, Fixed: never},
		bugs.Bug{Name: "hidden", From: "https://example.com/1", Buggy: ordered, Fixed: never})
	contains(t, text, "## A set", "| blatant | fifo | 1 | 0 | ok | 1 |", "| [hidden](https://example.com/1) |", "| 1 | ok | – |",
		"found 2 of 2", "at most 3 deviations: 2 of 2 (100 %)", "repaired versions: 20 schedules",
		"fifo alone: 1.0, 1 of 2 campaigns found nothing, 1 bugs were never found")
	for _, r := range rows {
		if r.failed() {
			t.Errorf("%s failed", r.bug.Name)
		}
	}
}

func TestTable_MissedBugsAndRepairsThatFail(t *testing.T) {
	p := plan{seeds: 20, fixed: 10, starts: 1, jobs: 1}
	text, rows := table(p, bugs.Bug{Name: "no bug", Buggy: never, Fixed: never}, bugs.Bug{Name: "no repair", Buggy: always, Fixed: always})
	contains(t, text, "| no bug | **not found** | – | – | ok |", "| no repair | fifo | 1 | 0 | **fails** |", "found 1 of 2",
		"The repaired version of no repair fails:")
	for _, r := range rows {
		if !r.failed() {
			t.Errorf("%s has not failed", r.bug.Name)
		}
	}
}

func TestChoose_SetsByName(t *testing.T) {
	if chosen, err := choose("dozen,aio"); err != nil || len(chosen) != 2 || chosen[0].name != "dozen" {
		t.Errorf("choose: %v, %v", chosen, err)
	}
	if chosen, err := choose(""); err != nil || len(chosen) != len(sets) {
		t.Errorf("no name: %d sets, %v", len(chosen), err)
	}
	if _, err := choose("none"); err == nil {
		t.Error("a set that is not there was chosen")
	}
}
