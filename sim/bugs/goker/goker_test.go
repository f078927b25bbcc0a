package goker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

// find runs a bug until it is found.
func find(b bugs.Bug) *sim.Failure {
	return sim.Explore(b.Buggy, sim.Options{Seeds: 2000, Jobs: 1}).Failure
}

func TestBuggy_IsFound(t *testing.T) {
	for _, b := range All() {
		t.Run(b.Name, func(t *testing.T) {
			f := find(b)
			if f == nil {
				t.Fatal("not found in 2,000 schedules")
			}
			if f.Kind == sim.KindStrayed || f.Kind == sim.KindEmpty || f.Kind == sim.KindMissed {
				t.Error(f)
			}
		})
	}
}

func TestFixed_Holds(t *testing.T) {
	for _, b := range All() {
		t.Run(b.Name, func(t *testing.T) {
			if f := sim.Explore(b.Fixed, sim.Options{Seeds: 1000, Jobs: 1}).Failure; f != nil {
				t.Error(f)
			}
		})
	}
}

// TestTable prints, with -v, how each bug is found.
func TestTable_HasEveryBug(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "%-18s %-10s %-8s %s\n", "bug", "kind", "strategy", "schedules")
	seen := map[string]bool{}
	for _, b := range All() {
		if seen[b.Name] || b.From == "" || b.What == "" {
			t.Errorf("%q is there twice, or lacks its source or a description", b.Name)
		}
		seen[b.Name] = true
		if f := find(b); f != nil {
			fmt.Fprintf(&table, "%-18s %-10s %-8s %d\n", b.Name, f.Kind, f.Strategy, f.Schedules)
		} else {
			t.Errorf("%s is not found", b.Name)
		}
	}
	t.Log("\n" + table.String())
}
