package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A refuser is a Watcher that lets none of the tasks run that are held.
type refuser struct{ held func(t asyncio.AnyTask) bool }

// Choose implements asyncio.Chooser.
func (r *refuser) Choose(kind asyncio.Choice, candidates []asyncio.Candidate) int {
	for i, c := range candidates {
		if kind != asyncio.ChooseReady || c.Task == nil || !r.held(c.Task) {
			return i
		}
	}
	return -1
}

// BeforeStep implements asyncio.Watcher.
func (r *refuser) BeforeStep(asyncio.Candidate) {}

// AfterStep implements asyncio.Watcher.
func (r *refuser) AfterStep(asyncio.Candidate) {}

// A loop that has made no step since it looked at its timers looks again when the clock
// has moved, though something is ready.
func TestWatcher_RefusesATaskUntilADeadline(t *testing.T) {
	noLeaks(t)
	holding := false
	var s story
	b := newBench()
	b.Options.Chooser = &refuser{func(t asyncio.AnyTask) bool { return holding && t.Name() == "held" }}
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "held"}, func(ctx context.Context) (int, error) {
			for range 2 {
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					return 0, err
				}
				s.add("held at %v", b.clock.Now().Second())
			}
			return 0, nil
		})
		if err := asyncio.Yield(ctx); err != nil { // it sleeps
			return err
		}
		for i := range 3 {
			holding = i < 2
			if err := asyncio.Sleep(ctx, 2*time.Second); err != nil {
				return err
			}
			s.add("main at %v", b.clock.Now().Second())
		}
		return nil
	})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	s.want(t, "main at 2", "main at 4", "held at 4", "held at 5", "main at 6")
}
