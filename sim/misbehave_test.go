package sim_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
	"github.com/asyncio-go/asyncio/sim"
)

// misbehaving are programs that do what they should not, and what they are told.
var misbehaving = map[string]struct {
	f    sim.Func
	kind sim.Kind
	want string
}{
	"panics in a deferred function during the shutdown": {func(ctx context.Context, _ *sim.World) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer panic("too late")
			return asyncio.Sleep(ctx, time.Hour)
		})
		return nap(ctx)
	}, sim.KindPanic, "too late"},
	"ignores its cancellation": {func(ctx context.Context, _ *sim.World) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				_ = asyncio.Yield(ctx)
			}
		})
		return asyncio.Yield(ctx)
	}, sim.KindSteps, "it takes more than 2000 steps"},
	"ignores its unwinding": {func(ctx context.Context, _ *sim.World) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() {
				for range 100 {
					_ = nap(context.WithoutCancel(ctx))
				}
			}()
			for {
				_ = asyncio.Yield(ctx)
			}
		})
		return asyncio.Yield(ctx)
	}, sim.KindSteps, "it takes more than 2000 steps"},
	"runs a loop in a task": {func(ctx context.Context, _ *sim.World) error {
		_, err := asyncio.Run(ctx, func(context.Context) (int, error) { return 1, nil })
		return err
	}, sim.KindError, "cannot be called from a running event loop"},
	"runs a loop in Blocking": {func(ctx context.Context, _ *sim.World) error {
		_, err := asyncio.Blocking(ctx, func(ctx context.Context) (int, error) {
			return asyncio.Run(ctx, func(context.Context) (int, error) { return 1, nil })
		})
		return err
	}, sim.KindError, "cannot be called from a running event loop"},
	"explores in a task": {func(ctx context.Context, _ *sim.World) error {
		if r := sim.Explore(contend, sim.Options{Seeds: 3}); r.Failure != nil {
			return r.Failure
		}
		return nil
	}, sim.KindError, "cannot be called from a running event loop"},
	"panics in an invariant": {func(ctx context.Context, w *sim.World) error {
		w.Invariant("sound", func() error { panic("unsound") })
		return nap(ctx)
	}, sim.KindPanic, "unsound"},
	"awaits in an invariant": {func(ctx context.Context, w *sim.World) error {
		w.Invariant("quick", func() error { return nap(ctx) })
		return nap(ctx)
	}, sim.KindPanic, "called from a plain callback, which cannot wait"},
	"panics in a callback": {func(ctx context.Context, _ *sim.World) error {
		l, err := asyncio.RunningLoop(ctx)
		l.CallSoon(func() { panic("called") })
		return errors.Join(err, nap(ctx))
	}, sim.KindPanic, "called"},
	"panics with an error": {func(context.Context, *sim.World) error { panic(errors.New("an error")) }, sim.KindPanic, "an error"},
	"draws on another goroutine": {func(_ context.Context, w *sim.World) error {
		text := make(chan string)
		go func() { text <- panicOf(func() { w.Draw(2) }) }()
		return errors.New(<-text)
	}, sim.KindError, "World.Draw: called from outside of the run of this world"},
	"waits for a goroutine": {func(ctx context.Context, _ *sim.World) error {
		l, err := asyncio.RunningLoop(ctx)
		l.Outside(func() func() { return func() {} })
		return err
	}, sim.KindFence, "no place in a simulation"},
}

func TestMisbehaving_IsToldAndLeavesNothing(t *testing.T) {
	for name, c := range misbehaving {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			for _, o := range []sim.Options{{Seeds: 20, Jobs: 2}, {Seeds: 20, Seed: 1}, {Strategies: []sim.Strategy{sim.Exhaustive}}} {
				o.MaxSteps = 2000
				r := sim.Explore(c.f, o)
				if r.Failure == nil || r.Failure.Kind != c.kind || !strings.Contains(r.Failure.Err.Error(), c.want) {
					t.Errorf("told %v, want %s: %s", r.Failure, c.kind, c.want)
				}
			}
			if left := asynciotest.Goroutines(before); left != "" {
				t.Errorf("left behind:\n%s", left)
			}
		})
	}
}

// Goexit is what t.FailNow does: in FIFO order it ends the test, and under other seeds
// the campaign.
func TestGoexit_IsAFailure(t *testing.T) {
	for name, f := range map[string]sim.Func{
		"of the function": func(_ context.Context, w *sim.World) error {
			if w.Draw(2) == 1 {
				runtime.Goexit()
			}
			return nil
		},
		"of a task": func(ctx context.Context, w *sim.World) error {
			return crew(ctx, 2, func(context.Context, int) error {
				if w.Draw(2) == 1 {
					runtime.Goexit()
				}
				return nil
			})
		},
		"of a blocking function": func(ctx context.Context, w *sim.World) error {
			_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
				if w.Draw(2) == 1 {
					runtime.Goexit()
				}
				return 0, nil
			})
			return err
		},
	} {
		r := sim.Explore(f, sim.Options{Jobs: 2})
		if r.Failure == nil || r.Failure.Kind != sim.KindError || !strings.Contains(r.Failure.Error(), "runtime.Goexit was called") {
			t.Errorf("%s: %v", name, r.Failure)
		}
	}
	returned := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		sim.Run(t, func(context.Context, *sim.World) error { runtime.Goexit(); return nil })
		returned = true
	}()
	if <-done; returned {
		t.Error("Run has returned after a Goexit")
	}
}

func TestWorld_BelongsToItsRun(t *testing.T) {
	var kept *sim.World
	var ctxOf context.Context
	sim.Run(t, func(ctx context.Context, w *sim.World) error { kept, ctxOf = w, ctx; return nil })
	for name, use := range map[string]func(){
		"Draw":            func() { kept.Draw(2) },
		"Chance":          func() { kept.Chance(2) },
		"Fail":            func() { kept.Fail(errors.New("late")) },
		"Settle":          func() { _ = kept.Settle(ctxOf) },
		"Clock().Advance": func() { kept.Clock().Advance(1) },
		"Victim":          func() { _ = kept.Victim(ctxOf, nap) },
	} {
		if got := panicOf(use); !strings.Contains(got, "World."+name+": the run of this world is over") {
			t.Errorf("%s after the run: %q", name, got)
		}
		r := sim.Explore(func(context.Context, *sim.World) error { use(); return nil }, sim.Options{Seeds: 1})
		if r.Failure == nil || !strings.Contains(r.Failure.Error(), "the run of this world is over") {
			t.Errorf("%s in another run: %v", name, r.Failure)
		}
	}
}

func TestStuck_TellsWhereATaskBlocks(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	done := make(chan *sim.Report)
	f := func(ctx context.Context, _ *sim.World) error {
		return crew(ctx, 2, func(ctx context.Context, i int) error {
			if i == 1 {
				close(begun)
				blockHere(release)
			}
			return nap(ctx)
		})
	}
	var once atomic.Bool
	go func() {
		done <- sim.Explore(func(ctx context.Context, w *sim.World) error {
			if once.Swap(true) {
				return crew(ctx, 2, func(ctx context.Context, _ int) error { return nap(ctx) })
			}
			return f(ctx, w)
		}, sim.Options{Seeds: 2})
	}()
	<-begun
	text := sim.StuckReport(f)
	for !strings.Contains(text, "blockHere") { // between two instructions it is not there yet
		text = sim.StuckReport(f)
	}
	close(release)
	if strings.Count(text, "\ngoroutine ") != 1 || !strings.Contains(text, "TestStuck_TellsWhereATaskBlocks.func1 has taken 20s") {
		t.Errorf("told:\n%s", text)
	}
	if r := <-done; r.Failure != nil {
		t.Error(r.Failure)
	}
}

func blockHere(until chan struct{}) { <-until }

// What a campaign keeps does not grow with its schedules.
func TestExplore_MemoryStaysTheSame(t *testing.T) {
	heap := func() int {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	runs := 100_000
	if testing.Short() {
		runs = 20_000
	}
	var at []int
	var n atomic.Int64
	f := func(ctx context.Context, w *sim.World) error {
		if n.Add(1)%int64(runs/5) == 0 {
			at = append(at, heap())
		}
		return crew(ctx, 2, func(ctx context.Context, _ int) error { return asyncio.Yield(ctx) })
	}
	if r := sim.Explore(f, sim.Options{Seeds: runs, Jobs: 1}); r.Failure != nil {
		t.Fatal(r.Failure)
	}
	if first, last := at[0], at[len(at)-1]; last > first+1<<20 {
		t.Errorf("the heap grows: %s", fmt.Sprint(at))
	}
}
