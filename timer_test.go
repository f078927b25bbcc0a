package asyncio_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// onLoop is run for a main that needs its loop.
func onLoop(t *testing.T, main func(ctx context.Context, l *asyncio.Loop) error) {
	t.Helper()
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		return errors.Join(err, main(ctx, l))
	})
}

func TestTimer_StrikesByDeadlineThenByCreation(t *testing.T) {
	s := &story{}
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		began := l.Now()
		at := func(name string) func() { return func() { s.add("%s %v", name, l.Now().Sub(began)) } }
		l.CallLater(2*time.Second, at("b"))
		l.CallLater(time.Second, at("a"))
		l.CallAt(began.Add(2*time.Second), at("c"))
		l.CallLater(2*time.Second, at("d"))
		l.CallAt(began.Add(1500*time.Millisecond), at("between"))
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, 2*time.Second)
			at("task")()
			return err
		})
		_ = asyncio.Yield(ctx)
		l.CallLater(2*time.Second, at("e"))
		return asyncio.Sleep(ctx, time.Hour)
	})
	s.want(t, "a 1s", "between 1.5s", "b 2s", "c 2s", "d 2s", "task 2s", "e 2s")
}

func TestTimer_NotPositiveIsTheNextTurn(t *testing.T) {
	main := func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		for _, d := range []time.Duration{0, -1, -time.Hour, math.MinInt64} {
			called := false
			l.CallLater(d, func() { called = true })
			if called {
				t.Errorf("CallLater(%v) has called it at once", d)
			}
			yields := 0
			for ; !called; yields++ { // so the loop is never idle
				_ = asyncio.Yield(ctx)
			}
			if yields > 2 {
				t.Errorf("CallLater(%v) was called after %d turns of a busy loop, want the next", d, yields)
			}
		}
		past := false
		l.CallAt(time.Time{}, func() { past = true })
		sleepErr := asyncio.Sleep(ctx, time.Millisecond)
		if !past {
			t.Error("CallAt with a time long past was not called")
		}
		return errors.Join(err, sleepErr)
	}
	run(t, main)
	if _, err := asyncio.Run(t.Context(), asyncio.Void(main)); err != nil {
		t.Error("on the real clock:", err)
	}
}

func TestTimer_HugeDurationsSaturate(t *testing.T) {
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		_ = asyncio.Sleep(ctx, time.Hour) // now + huge overflows
		h := l.CallLater(math.MaxInt64, func() { t.Error("the end of time has come") })
		if !h.When().After(l.Now().AddDate(200, 0, 0)) {
			t.Errorf("When() = %v", h.When())
		}
		far := l.CallAt(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), func() { t.Error("the year 9999 has come") })
		err := asyncio.Timeout(ctx, time.Hour, func(ctx context.Context) error { return asyncio.Sleep(ctx, math.MaxInt64) })
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("Sleep for ever ended with %v", err)
		}
		if !h.Cancel() || !far.Cancel() {
			t.Error("they have run")
		}
		return nil
	})
}

func TestTimer_Cancel(t *testing.T) {
	s := &story{}
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		before := l.CallLater(time.Second, func() { s.add("cancelled before") })
		after := l.CallLater(time.Second, func() { s.add("ran") })
		if !before.Cancel() || !before.Cancelled() || !before.Cancel() {
			t.Error("a pending timer was not cancelled")
		}
		// Due in the same turn, the first takes the second back.
		var victim *asyncio.Handle
		l.CallLater(2*time.Second, func() { s.add("victim cancelled %v", victim.Cancel()) })
		victim = l.CallLater(2*time.Second, func() { s.add("victim ran") })
		err := asyncio.Sleep(ctx, time.Hour)
		if after.Cancel() || after.Cancelled() {
			t.Error("a timer that has run was cancelled")
		}
		return err
	})
	s.want(t, "ran", "victim cancelled true")
}

func TestTimer_CancelFromAnotherGoroutine(t *testing.T) {
	const n = 2000
	var ran, taken [n]atomic.Bool
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		handles := make([]*asyncio.Handle, n)
		for i := range handles {
			// On a virtual clock they strike while the goroutine cancels them.
			handles[i] = l.CallLater(time.Duration(i%7)*time.Microsecond, func() { ran[i].Store(true) })
		}
		var canceller sync.WaitGroup
		canceller.Go(func() {
			for i, h := range handles {
				taken[i].Store(h.Cancel())
			}
		})
		err := asyncio.Sleep(ctx, time.Second)
		canceller.Wait()
		return err
	})
	for i := range n {
		if ran[i].Load() == taken[i].Load() {
			t.Fatalf("timer %d: ran %v, Cancel reported %v", i, ran[i].Load(), taken[i].Load())
		}
	}
}

func TestHandle_Strings(t *testing.T) {
	b := newBench()
	b.Debug = asyncio.DebugOff // in debug mode a handle says where it was created
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		soon, later := l.CallSoon(explode), l.CallLater(90*time.Second, explode)
		if got, want := later.When(), l.Now().Add(90*time.Second); !got.Equal(want) || !soon.When().IsZero() {
			t.Errorf("When() = %v and %v, want %v and zero", got, soon.When(), want)
		}
		got := fmt.Sprint(soon, later)
		soon.Cancel()
		later.Cancel()
		got += fmt.Sprint(soon, later)
		const want = "<Handle asyncio_test.explode()> <TimerHandle when=90.000000 asyncio_test.explode()>" +
			"<Handle cancelled asyncio_test.explode()> <TimerHandle cancelled when=90.000000 asyncio_test.explode()>"
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestHandle_IsReadWhileItRuns(t *testing.T) {
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		handles := make(chan *asyncio.Handle, 1000)
		var reader sync.WaitGroup
		reader.Go(func() {
			for h := range handles {
				if !strings.Contains(h.String(), "TestHandle_IsReadWhileItRuns") || h.Cancelled() || h.Err() != nil {
					t.Errorf("it is %v", h)
				}
			}
		})
		for range cap(handles) {
			handles <- l.CallSoon(func() {})
			_ = asyncio.Yield(ctx)
		}
		close(handles)
		reader.Wait()
		return nil
	})
}

func TestHandle_OfAClosedLoopSaysSo(t *testing.T) {
	noLeaks(t)
	l := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}})
	task, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (*asyncio.Task[int], error) {
		task := asyncio.Spawn(ctx, taskAnswer)
		return task, asyncio.Yield(ctx)
	})
	never := func() { t.Error("called") }
	handles := map[string]*asyncio.Handle{
		"CallLater before the end": l.CallLater(time.Hour, never),
	}
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	handles["AddDoneCallback after the end"] = task.AddDoneCallback(func(*asyncio.Task[int]) { never() })
	for name, h := range handles {
		if !h.Cancelled() || !errors.Is(h.Err(), asyncio.ErrLoopClosed) {
			t.Errorf("%s: cancelled %v, error %v, want true and ErrLoopClosed", name, h.Cancelled(), h.Err())
		}
	}
}

func TestTimer_AMillion(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 20_000
	}
	type strike struct {
		due time.Duration
		id  int
	}
	strikes := make([]strike, 0, n)
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			d := time.Duration(1+r.IntN(n/4)) * time.Millisecond
			h := l.CallLater(d, func() { strikes = append(strikes, strike{d, i}) })
			if i%2 == 1 {
				h.Cancel()
			}
			if i%1000 == 0 { // lest the watchdog barks
				_ = asyncio.Yield(ctx)
			}
		}
		return asyncio.Sleep(ctx, time.Duration(n)*time.Millisecond)
	})
	if len(strikes) != n/2 {
		t.Errorf("%d timers struck, want %d", len(strikes), n/2)
	}
	if !slices.IsSortedFunc(strikes, func(a, b strike) int { return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.id, b.id)) }) {
		t.Error("they did not strike by deadline and then by creation")
	}
}

func TestSleep_IsNeverEarlyOnTheRealClock(t *testing.T) {
	noLeaks(t)
	_, err := asyncio.Run(t.Context(), func(ctx context.Context) (int, error) {
		var tasks []*asyncio.Task[struct{}]
		for i := range 200 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				began, d := time.Now(), time.Duration(i)*37*time.Microsecond
				err := asyncio.Sleep(ctx, d)
				if took := time.Since(began); took < d {
					t.Errorf("Sleep(%v) took %v", d, took)
				}
				return err
			}))
		}
		for _, task := range tasks {
			if _, err := task.Await(ctx); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTimer_IsNotStarvedByTasksThatYield(t *testing.T) {
	noLeaks(t)
	_, err := asyncio.Run(t.Context(), func(ctx context.Context) (int, error) {
		l, err := asyncio.RunningLoop(ctx)
		struck := false
		l.CallLater(time.Millisecond, func() { struck = true })
		deadline := time.Now().Add(20 * time.Second)
		spin := func(ctx context.Context) error {
			for !struck {
				if time.Now().After(deadline) {
					return errors.New("a timer of a millisecond was starved for 20 s")
				}
				_ = asyncio.Yield(ctx)
			}
			return nil
		}
		_, other := asyncio.Go(ctx, spin).Await(ctx)
		return 0, errors.Join(err, other, spin(ctx))
	})
	if err != nil {
		t.Error(err)
	}
}

func TestManualClock_Frozen(t *testing.T) {
	noLeaks(t)
	b, s := newBench(), &story{}
	b.Debug = asyncio.DebugOff // in debug mode a loop says how long it has waited
	b.clock.Frozen = true
	err := b.Run(t.Context(), func(ctx context.Context) error {
		began := b.clock.Now()
		sleeping := make(chan struct{})
		go func() {
			<-sleeping
			for range 3 { // each may find the loop asleep or awake
				b.clock.Advance(30 * time.Minute)
			}
		}()
		l, err := asyncio.RunningLoop(ctx)
		l.CallSoon(func() { close(sleeping) })
		l.CallLater(15*time.Minute, func() { s.add("a") })
		l.CallLater(45*time.Minute, func() { s.add("b") })
		sleepErr := asyncio.Sleep(ctx, time.Hour)
		if past := b.clock.Now().Sub(began); past < time.Hour || past > 90*time.Minute {
			t.Errorf("%v passed on a frozen clock that was advanced by 90 minutes", past)
		}
		return errors.Join(err, sleepErr)
	})
	if err != nil || b.log.Text() != "" {
		t.Errorf("Run = %v, logged: %s", err, b.log.Text())
	}
	s.want(t, "a", "b")
}

func TestManualClock_NeverGoesBack(t *testing.T) {
	c := &asyncio.ManualClock{}
	if got, want := c.Now(), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("it starts at %v, want %v", got, want)
	}
	wantPanic(t, "asyncio: ManualClock.Advance(-1ns): time does not go back; give a duration that is not negative",
		func() { c.Advance(-1) })
	c.Advance(0)
	c.Advance(time.Hour)
	if got := c.Now().Hour(); got != 1 {
		t.Errorf("after an hour it is %v", c.Now())
	}
}

func TestCallSoon_RunsInOrderAndInTheNextTurn(t *testing.T) {
	s := &story{}
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		var c *asyncio.Handle
		l.CallSoon(func() {
			s.add("a")
			l.CallSoon(func() { s.add("next turn") })
			s.add("c cancelled %v", c.Cancel())
		})
		b := l.CallSoon(func() { s.add("b") })
		c = l.CallSoon(func() { s.add("c") })
		l.CallSoon(func() { s.add("b cancelled %v", b.Cancel()) })
		s.add("main")
		_ = asyncio.Yield(ctx)
		s.add("main")
		return asyncio.Yield(ctx)
	})
	s.want(t, "main", "a", "c cancelled true", "b", "b cancelled false", "main", "next turn")
}

func TestCallSoon_PanicIsReported(t *testing.T) {
	noLeaks(t)
	b, s := newBench(), &story{}
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		l.CallSoon(explode)
		l.CallSoon(func() { s.add("the next callback") })
		l.CallLater(time.Second, explode)
		asyncio.Spawn(ctx, taskAnswer).AddDoneCallback(func(*asyncio.Task[int]) { explode() })
		return errors.Join(err, asyncio.Sleep(ctx, time.Hour))
	})
	s.want(t, "the next callback")
	const report = "ERROR asyncio: Exception in callback asyncio_test."
	if err != nil || len(b.log.Lines()) != 3 || b.log.Count(report+"explode", "kaboom") != 2 ||
		b.log.Count(report+"TestCallSoon_PanicIsReported.func", "kaboom") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}
