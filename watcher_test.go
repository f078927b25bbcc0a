package asyncio_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// lookout is a Watcher that notes what it sees.
type lookout struct {
	choose func(kind asyncio.Choice, c []asyncio.Candidate) int
	steps  []string
	within asyncio.AnyTask
	most   int // candidates
	failed string
}

func (w *lookout) Choose(kind asyncio.Choice, c []asyncio.Candidate) int {
	w.most = max(w.most, len(c))
	if w.choose == nil {
		return 0
	}
	return w.choose(kind, c)
}

func (w *lookout) BeforeStep(c asyncio.Candidate) {
	if c.Task != nil {
		w.steps = append(w.steps, fmt.Sprintf("%s after %v", c.Task.Name(), c.On))
	}
	w.within = c.Task
}

func (w *lookout) AfterStep(c asyncio.Candidate) {
	if c.Task != w.within {
		w.failed = "the step that ends is not the one that began"
	}
	w.within = nil
}

func TestWatcher_SeesEveryStepAndWhatItHasWaitedFor(t *testing.T) {
	noLeaks(t)
	w := &lookout{}
	b := newBench()
	b.Options.Chooser = w
	err := b.Run(t.Context(), func(ctx context.Context) error {
		child := asyncio.Go(ctx, func(ctx context.Context) error {
			_ = asyncio.Yield(ctx)
			return asyncio.Sleep(ctx, time.Second)
		})
		_, err := child.Await(ctx)
		return err
	})
	want := []string{"Task-1 after <nil>", "Task-1-1 after <nil>", "Task-1-1 after <nil>", "Task-1-1 after Sleep", "Task-1 after Task-1-1"}
	if got := fmt.Sprint(w.steps); err != nil || w.failed != "" || len(w.steps) != len(want) || w.steps[3] != want[3] {
		t.Errorf("Run: %v; %s; steps %s, want %v", err, w.failed, got, want)
	}
}

// A Chooser has this turn's tasks to choose from, a Watcher also one that has just run.
func TestWatcher_MayRunOneTaskAgainAndAgain(t *testing.T) {
	noLeaks(t)
	var ran []int
	w := &lookout{choose: func(_ asyncio.Choice, c []asyncio.Candidate) int { return len(c) - 1 }}
	b := newBench()
	b.Options.Chooser = w
	err := b.Run(t.Context(), func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for i := range 2 {
				g.Go(func(ctx context.Context) error {
					for range 3 {
						ran = append(ran, i)
						if err := asyncio.Yield(ctx); err != nil {
							return err
						}
					}
					return nil
				})
			}
			return nil
		})
	})
	if got := fmt.Sprint(ran); err != nil || got != "[1 1 1 0 0 0]" {
		t.Errorf("Run: %v; ran %s", err, got)
	}
}

// A loop that has made no step since it looked at its timers looks again when the clock
// has moved, though something is ready.
func TestWatcher_RefusesATaskUntilADeadline(t *testing.T) {
	noLeaks(t)
	holding := false
	var s story
	b := newBench()
	b.Options.Chooser = &lookout{choose: func(kind asyncio.Choice, c []asyncio.Candidate) int {
		for i := range c {
			if kind != asyncio.ChooseReady || !holding || c[i].Task == nil || c[i].Task.Name() != "held" {
				return i
			}
		}
		return -1
	}}
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
