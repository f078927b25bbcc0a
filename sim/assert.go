package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Always fails the run unless ok. Outside of simulation it does nothing.
func Always(ctx context.Context, ok bool, name string) {
	if w := From(ctx); w != nil && !ok {
		w.fail(KindAssertion, fmt.Errorf("always %q: it does not hold", name))
	}
}

// Unreachable fails the run. Outside of simulation it does nothing.
func Unreachable(ctx context.Context, name string) {
	if w := From(ctx); w != nil {
		w.fail(KindAssertion, fmt.Errorf("unreachable %q: it was reached", name))
	}
}

// Sometimes fails a campaign in which ok was never true. Outside of simulation it does
// nothing.
func Sometimes(ctx context.Context, ok bool, name string) {
	if w := From(ctx); w != nil {
		w.campaign.sights.see(name, ok)
	}
}

// Reachable notes that this place was reached, for a campaign whose Options.Reach has
// the name. Outside of simulation it does nothing.
func Reachable(ctx context.Context, name string) { Sometimes(ctx, true, name) }

// Buggify is true now and then in a simulation, for a program that does there what is
// allowed and rare: a short read, a full buffer, a retry. Outside of simulation, and
// under the first seed, it is false.
func Buggify(ctx context.Context) bool {
	w := From(ctx)
	return w != nil && w.chance(25, "Buggify")
}

// An invariant is checked after every step.
type invariant struct {
	name  string
	check func() error
}

// Invariant has check called after every step of the run, which fails if it returns an
// error. check must not await.
func (w *World) Invariant(name string, check func() error) {
	w.invariants = append(w.invariants, invariant{name, check})
}

func (w *World) checkInvariants() {
	for _, i := range w.invariants {
		if err := i.check(); err != nil {
			w.fail(KindAssertion, fmt.Errorf("invariant %q: %w", i.name, err))
		}
	}
}

// sights are what a campaign has come across.
type sights struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (x *sights) see(name string, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.seen == nil {
		x.seen = map[string]bool{}
	}
	x.seen[name] = x.seen[name] || ok
}

// missed says what should have been seen and was not.
func (x *sights) missed(reach []string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var missed []string
	for _, name := range reach {
		if _, known := x.seen[name]; !known {
			missed = append(missed, fmt.Sprintf("%q was never reached", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(x.seen)) {
		if !x.seen[name] {
			missed = append(missed, fmt.Sprintf("sometimes %q: it was never true", name))
		}
	}
	return strings.Join(missed, "; ")
}
