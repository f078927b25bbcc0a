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

// With none of them the loop is as idle as if nothing were ready: time goes on.
func TestWatcher_HoldsTasksBack(t *testing.T) {
	noLeaks(t)
	held := true
	w := &lookout{choose: func(kind asyncio.Choice, c []asyncio.Candidate) int {
		for i := range c {
			if kind != asyncio.ChooseReady || !held || c[i].Task == nil || c[i].Task.Name() != "held" {
				return i
			}
		}
		return -1
	}}
	b := newBench()
	b.Options.Chooser = w
	var at time.Duration
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		began := l.Now()
		l.CallLater(time.Hour, func() { held = false })
		task := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "held"}, asyncio.Void(func(context.Context) error {
			at = l.Now().Sub(began)
			return nil
		}))
		_, err = task.Await(ctx)
		return err
	})
	if err != nil || at != time.Hour {
		t.Errorf("Run: %v; it ran at %v, want 1h", err, at)
	}
}
