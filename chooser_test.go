package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// chooserFunc is a function as a Chooser.
type chooserFunc func(kind asyncio.Choice, n int) int

// Choose implements asyncio.Chooser.
func (f chooserFunc) Choose(kind asyncio.Choice, c []asyncio.Candidate) int {
	if len(c) == 1 {
		return 0
	}
	return f(kind, len(c))
}

// lastFirst reverses whatever it may.
var lastFirst = chooserFunc(func(_ asyncio.Choice, n int) int { return n - 1 })

func seededChooser(seed uint64) asyncio.Chooser {
	r := rand.New(rand.NewPCG(seed, 0))
	return chooserFunc(func(_ asyncio.Choice, n int) int { return r.IntN(n) })
}

// choosers are some of each kind: in order, reversed, and by seeds.
func choosers() map[string]asyncio.Chooser {
	all := map[string]asyncio.Chooser{
		"first": chooserFunc(func(asyncio.Choice, int) int { return 0 }),
		"last":  lastFirst,
	}
	for seed := range uint64(20) {
		all[fmt.Sprint("seed ", seed)] = seededChooser(seed)
	}
	return all
}

// chosen runs main under c and fails the test if it fails or logs.
func chosen(t *testing.T, c asyncio.Chooser, main func(ctx context.Context) error) {
	t.Helper()
	b := newBench()
	b.Options.Chooser = c
	if err := b.Run(t.Context(), main); err != nil {
		t.Errorf("Run: %v", err)
	}
	if got := b.log.Text(); got != "" {
		t.Errorf("logged:\n%s", got)
	}
}

func TestChooser_PermutesReadyTasks(t *testing.T) {
	s := &story{}
	chosen(t, lastFirst, func(ctx context.Context) error {
		for i := range 4 {
			asyncio.Go(ctx, func(context.Context) error { s.add("%d", i); return nil })
		}
		s.add("main")
		return asyncio.Sleep(ctx, time.Second)
	})
	s.want(t, "main", "3", "2", "1", "0")
}

func TestChooser_SeesEverySchedule(t *testing.T) {
	schedules := map[string]bool{}
	for seed := range uint64(200) {
		s := &story{}
		chosen(t, seededChooser(seed), func(ctx context.Context) error {
			for i := range 3 {
				asyncio.Go(ctx, func(context.Context) error { s.add("%d", i); return nil })
			}
			return asyncio.Sleep(ctx, time.Second)
		})
		schedules[strings.Join(s.events, "")] = true
	}
	if len(schedules) != 6 {
		t.Errorf("200 seeds gave the schedules %v, want all 6", schedules)
	}
}

func TestChooser_ATaskRunsOnceATurn(t *testing.T) {
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			turns := countTurns(ctx)
			for range 5 {
				asyncio.Go(ctx, func(ctx context.Context) error {
					before := turns()
					for i := 1; i <= 20; i++ {
						_ = asyncio.Yield(ctx)
						// The callback that counts is among what is permuted.
						if got := turns() - before; got < i-1 || got > i+1 {
							t.Errorf("%s: %d turns passed in %d yields", name, got, i)
						}
					}
					return nil
				})
			}
			for range 30 {
				_ = asyncio.Yield(ctx)
			}
			return nil
		})
	}
}

func TestChooser_NeverReordersWhatIsPromised(t *testing.T) {
	for name, c := range choosers() {
		calls, callbacks, later := &story{}, &story{}, &story{}
		chosen(t, c, func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			f := asyncio.NewFuture[int](ctx)
			for i := range 4 {
				asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Second) })
				f.AddDoneCallback(func(*asyncio.Future[int]) { callbacks.add("%d", i) })
				l.CallSoon(func() { calls.add("%d", i) })
				l.CallLater(time.Second, func() { later.add("%d", i) })
			}
			f.SetResult(1)
			return errors.Join(err, asyncio.Sleep(ctx, time.Hour))
		})
		for what, s := range map[string]*story{"CallSoon": calls, "done callbacks": callbacks, "CallLater": later} {
			if got := strings.Join(s.events, ""); got != "0123" {
				t.Errorf("%s: order of %s is %s, want 0123", name, what, got)
			}
		}
	}
}

func TestChooser_NeverReordersGrants(t *testing.T) {
	for name, c := range choosers() {
		var arrived, began []int
		b := newBench()
		b.Options.Chooser = c
		b.Options.MaxBlocking = 1 // a turn that is granted to one after another
		err := b.Run(t.Context(), func(ctx context.Context) error {
			for i := range 5 {
				asyncio.Go(ctx, func(ctx context.Context) error {
					arrived = append(arrived, i)
					_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
						began = append(began, i) // never two at a time
						return 0, nil
					})
					return err
				})
			}
			return asyncio.Sleep(ctx, time.Second)
		})
		if err != nil || len(began) != 5 || fmt.Sprint(arrived) != fmt.Sprint(began) {
			t.Errorf("%s: arrived in the order %v, were granted in the order %v; %v", name, arrived, began, err)
		}
	}
}

func TestChooser_CancellationKeepsTheOrderOfCreation(t *testing.T) {
	// Who is cancelled is decided in that order; who runs first is not.
	for name, c := range choosers() {
		s := &story{}
		chosen(t, c, func(ctx context.Context) error {
			ctx, cancel := asyncio.WithCancel(ctx)
			defer cancel()
			for i := range 4 {
				asyncio.Spawn(ctx, taskNap).AddDoneCallback(func(*asyncio.Task[int]) { s.add("%d", i) })
			}
			_ = asyncio.Yield(ctx)
			cancel()
			return asyncio.Sleep(context.WithoutCancel(ctx), time.Second)
		})
		if len(s.events) != 4 {
			t.Errorf("%s: cancelled: %v, want all four", name, s.events)
		}
		if name == "first" {
			s.want(t, "0", "1", "2", "3")
		}
	}
}

func TestChooser_PermutesEqualDeadlines(t *testing.T) {
	kinds := map[asyncio.Choice]int{}
	s := &story{}
	timersLast := chooserFunc(func(kind asyncio.Choice, n int) int {
		kinds[kind] = max(kinds[kind], n)
		if kind == asyncio.ChooseTimer {
			return n - 1
		}
		return 0
	})
	chosen(t, timersLast, func(ctx context.Context) error {
		for i := range 3 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, time.Second)
				s.add("%d", i)
				return err
			})
		}
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, 999*time.Millisecond) // an earlier deadline is never late
			s.add("earlier")
			return err
		})
		return asyncio.Sleep(ctx, time.Hour)
	})
	s.want(t, "earlier", "2", "1", "0")
	if kinds[asyncio.ChooseTimer] != 3 {
		t.Errorf("asked for one of %d timers, want 3", kinds[asyncio.ChooseTimer])
	}
}

func TestChooser_NeverLosesTheShutdownDeadline(t *testing.T) {
	for name, c := range choosers() {
		b := newBench()
		b.Options.Chooser = c
		b.Options.ShutdownTimeout = time.Second
		slept := 0
		err := b.Run(t.Context(), func(ctx context.Context) error {
			for range 2 {
				asyncio.Go(ctx, func(ctx context.Context) error {
					_ = asyncio.Sleep(ctx, time.Hour)
					for slept < 1000 { // its deadlines fall on that of the shutdown
						slept++
						_ = asyncio.Sleep(context.WithoutCancel(ctx), time.Second)
					}
					return nil
				})
			}
			return asyncio.Yield(ctx)
		})
		var left *asyncio.ShutdownError
		if !errors.As(err, &left) || slept > 4 {
			t.Errorf("%s: Run returned %v after %d sleeps of the length of the shutdown timeout", name, err, slept)
		}
	}
}

// A batch is an Executor that keeps functions until it is told to run them.
type batch struct{ functions []func() }

// Execute implements asyncio.Executor.
func (b *batch) Execute(f func()) { b.functions = append(b.functions, f) }

func TestChooser_PermutesCompletions(t *testing.T) {
	asked, s, functions := 0, &story{}, &batch{}
	b := newBench()
	b.Options.Executor = functions
	b.Options.Chooser = chooserFunc(func(kind asyncio.Choice, n int) int {
		if kind != asyncio.ChooseCompletion {
			return 0
		}
		asked = max(asked, n)
		return n - 1
	})
	err := b.Run(t.Context(), func(ctx context.Context) error {
		for i := range 3 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { return i, nil })
				s.add("%d", i)
				return err
			})
		}
		_ = asyncio.Yield(ctx)
		var all sync.WaitGroup
		all.Go(func() {
			for _, f := range functions.functions {
				f()
			}
		})
		all.Wait() // blocks the loop, so that it finds all three results at once
		return asyncio.Sleep(ctx, time.Second)
	})
	if err != nil || asked != 3 {
		t.Errorf("Run = %v, asked for one of %d completions, want 3", err, asked)
	}
	s.want(t, "2", "1", "0")
}

func TestChooser_OutOfRangePanics(t *testing.T) {
	noLeaks(t)
	for _, wrong := range []int{-1, 2} {
		bad := true
		b := newBench()
		b.Options.Chooser = chooserFunc(func(_ asyncio.Choice, n int) int {
			if bad {
				bad = false
				return wrong
			}
			return 0
		})
		got := panicOf(func() {
			_ = b.Run(t.Context(), func(ctx context.Context) error {
				asyncio.Spawn(ctx, taskAnswer)
				return asyncio.Yield(ctx)
			})
		})
		if want := fmt.Sprintf("asyncio: Chooser.Choose(0, 2) returned %d; return one of 0 to n-1", wrong); got != want {
			t.Errorf("panicked with %q\nwant           %q", got, want)
		}
	}
}
