package goker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio/sim"
)

func TestFixed_Holds(t *testing.T) {
	for _, b := range All() {
		t.Run(b.Name, func(t *testing.T) {
			if f := sim.Explore(b.Fixed, sim.Options{Seeds: 1000, Jobs: 1}).Failure; f != nil {
				t.Error(f)
			}
		})
	}
}

// With -v it prints how each bug is found.
func TestTable_EveryBugIsFound(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "%-18s %-10s %-8s %s\n", "bug", "kind", "strategy", "schedules")
	seen := map[string]bool{}
	for _, b := range All() {
		if seen[b.Name] || b.From == "" || b.What == "" {
			t.Errorf("%q is there twice, or lacks its source or a description", b.Name)
		}
		seen[b.Name] = true
		f := sim.Explore(b.Buggy, sim.Options{Seeds: 2000, Jobs: 1}).Failure
		if f == nil || f.Kind != sim.KindDeadlock && f.Kind != sim.KindReport {
			t.Errorf("%s should block in one of 2,000 schedules; got %v", b.Name, f)
			continue
		}
		fmt.Fprintf(&table, "%-18s %-10s %-8s %d\n", b.Name, f.Kind, f.Strategy, f.Schedules)
	}
	t.Log("\n" + table.String())
}
