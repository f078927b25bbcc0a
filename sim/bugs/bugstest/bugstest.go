// Package bugstest has what the tests of the sets of bugs share.
package bugstest

import (
	"testing"

	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

// Found fails the test for every bug that is not found in 10,000 schedules.
func Found(t *testing.T, all []bugs.Bug) {
	for _, b := range all {
		t.Run(b.Name, func(t *testing.T) {
			r := sim.Explore(b.Buggy, sim.Options{Seeds: 10_000})
			if !bugs.Found(r.Failure) {
				t.Errorf("%d schedules: not found; %v", r.Schedules, r.Failure)
			}
		})
	}
}

// Survives fails the test for every repaired version that fails in 1,000 schedules.
func Survives(t *testing.T, all []bugs.Bug) {
	for _, b := range all {
		t.Run(b.Name, func(t *testing.T) {
			if f := sim.Explore(b.Fixed, sim.Options{Seeds: 1000}).Failure; f != nil {
				t.Error(f)
			}
		})
	}
}
