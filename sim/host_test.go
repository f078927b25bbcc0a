package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// clean explores f and fails the test if a run fails.
func clean(t *testing.T, f sim.Func, o sim.Options) *sim.Report {
	t.Helper()
	if testing.Short() && o.Seeds >= 1000 {
		o.Seeds /= 10
	}
	r := sim.Explore(f, o)
	if r.Failure != nil {
		t.Fatal(r.Failure)
	}
	return r
}

// found explores f and returns the failure that it must find.
func found(t *testing.T, f sim.Func, o sim.Options) *sim.Failure {
	t.Helper()
	r := sim.Explore(f, o)
	if r.Failure == nil {
		t.Fatalf("%d schedules: not found", r.Schedules)
	}
	t.Log(r.Failure)
	return r.Failure
}

// onlyMain fails unless the task that calls is the only one of its loop.
func onlyMain(ctx context.Context) error {
	l, err := asyncio.RunningLoop(ctx)
	if err == nil && l.Tasks().Len() != 1 {
		err = fmt.Errorf("tasks are left:\n%v", l.Tasks())
	}
	return err
}

func TestHost_HasANameAndAnAddress(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		idle := func(context.Context) error { return nil }
		a, b := w.Host(ctx, "a", idle), w.Host(ctx, "b", idle)
		if a.Name() != "a" || b.Name() != "b" || a.Addr() == b.Addr() || !a.Addr().IsPrivate() {
			return fmt.Errorf("hosts are %v and %v", a, b)
		}
		before := a.Addr()
		a.Restart()
		if a.Addr() != before || !a.Alive() {
			return fmt.Errorf("after a start it is %v, was %v", a, before)
		}
		return errors.Join(a.Wait(ctx), b.Wait(ctx))
	}
	clean(t, f, sim.Options{Seeds: 10})
}

func TestHost_ErrorFailsTheRun(t *testing.T) {
	broken := errors.New("no space left on device")
	f := func(ctx context.Context, w *sim.World) error {
		w.Host(ctx, "server", func(ctx context.Context) error { return broken })
		return asyncio.Sleep(ctx, time.Hour)
	}
	got := found(t, f, sim.Options{Seeds: 1})
	if got.Kind != sim.KindError || !errors.Is(got, broken) || !strings.Contains(got.Error(), "server (10.0.0.1)") || got.At != 0 {
		t.Errorf("failure is %v", got)
	}
}

func TestHost_WaitTakesWhatFReturns(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		starts := 0
		h := w.Host(ctx, "worker", func(ctx context.Context) error {
			if starts++; starts == 1 {
				return asyncio.Sleep(ctx, time.Hour)
			}
			return asyncio.Sleep(ctx, time.Second)
		})
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, time.Minute)
			h.Crash()
			if h.Alive() {
				err = errors.New("it is alive after a crash")
			}
			err = errors.Join(err, asyncio.Sleep(ctx, time.Minute))
			h.Restart()
			return err
		})
		if err := h.Wait(ctx); err != nil {
			return err
		}
		if starts != 2 || w.Now() != 2*time.Minute+time.Second {
			return fmt.Errorf("Wait returned after %d starts, at %v", starts, w.Now())
		}
		return nil
	}
	clean(t, f, sim.Options{Seeds: 20})
}

func TestHost_CrashRunsDeferredFunctionsAndNothingElse(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		var story []string
		tell := func(what string) { story = append(story, what) }
		h := w.Host(ctx, "server", func(ctx context.Context) error {
			defer tell("deferred")
			defer func() {
				if err := asyncio.Sleep(context.WithoutCancel(ctx), time.Second); err == nil {
					tell("an await returned")
				}
			}()
			asyncio.Go(ctx, func(ctx context.Context) error {
				defer tell("child")
				err := asyncio.Sleep(ctx, time.Hour)
				tell("the child's await returned")
				return err
			})
			gen := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
				defer tell("generator")
				yield(1)
				return asyncio.Sleep(ctx, time.Hour)
			})
			for _, err := range gen.All(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err := asyncio.Sleep(ctx, time.Duration(w.Draw(2))*time.Second); err != nil {
			return err
		}
		h.Crash()
		if err := asyncio.Yield(ctx); err != nil { // whatever the schedule is, all of it comes before that
			return err
		}
		slices.Sort(story)
		got := strings.Join(story, " ")
		sim.Sometimes(ctx, got == "", "the crash came before the first step")
		sim.Sometimes(ctx, got == "deferred generator", "the child had not begun")
		sim.Sometimes(ctx, got == "child deferred generator", "all of them had begun")
		if strings.Contains(got, "returned") {
			return fmt.Errorf("happened: %s", got)
		}
		return onlyMain(ctx)
	}
	clean(t, f, sim.Options{Seeds: 300})
}

// busyHost has tasks that wait in all sorts of ways.
func busyHost(ctx context.Context) error {
	var lock asyncio.Lock
	items := asyncio.NewQueue[int](1)
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.SetLimit(4)
		g.Go(func(ctx context.Context) error {
			for i := range 4 {
				if err := items.Put(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
		for range 2 {
			g.Go(func(ctx context.Context) error {
				for range 2 {
					if _, err := items.Get(ctx); err != nil {
						return err
					}
					err := lock.Do(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Millisecond) })
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		g.Go(func(ctx context.Context) error {
			_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { return 1, nil })
			return err
		})
		g.Go(func(ctx context.Context) error { // waits for the limit
			return asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error { return asyncio.Yield(ctx) })
		})
		return nil
	})
}

func TestHost_CrashAtEveryStepLeaksNothing(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		h := w.Host(ctx, "busy", busyHost)
		for range 1 + w.Draw(3) {
			for range w.Draw(20) {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			if w.Chance(30) {
				if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
			}
			h.Restart()
		}
		if err := h.Wait(ctx); err != nil {
			return err
		}
		return onlyMain(ctx)
	}
	r := clean(t, f, sim.Options{Seeds: 3000})
	t.Logf("%d schedules in %v", r.Schedules, r.Elapsed)
}

func TestHost_CrashesItself(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		var h *sim.Host
		story := ""
		h = w.Host(ctx, "server", func(ctx context.Context) error {
			defer func() { story += "deferred" }()
			h.Crash()
			story += "goes on, "
			err := asyncio.Yield(ctx)
			story += "returns, "
			return err
		})
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if story != "goes on, deferred" {
			return errors.New(story)
		}
		return onlyMain(ctx)
	}
	clean(t, f, sim.Options{Seeds: 1})
}

func TestHost_CrashEndsBlockingFunctions(t *testing.T) {
	f := func(ctx context.Context, w *sim.World) error {
		ran, returned := 0, 0
		h := w.Host(ctx, "server", func(ctx context.Context) error {
			_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { ran++; return 0, nil })
			returned++
			return err
		})
		for range w.Draw(4) {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		h.Crash()
		before := ran
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if ran != before {
			return errors.New("a function ran after the crash")
		}
		sim.Sometimes(ctx, ran == 1 && returned == 0, "the crash came during the function")
		sim.Sometimes(ctx, ran == 0, "the crash came before the function")
		return nil
	}
	clean(t, f, sim.Options{Seeds: 200})
}
