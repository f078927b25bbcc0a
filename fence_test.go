package asyncio_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// fenced runs main on a loop with a Fence, and returns what the Fence was told.
func fenced(t *testing.T, main func(ctx context.Context) error) (told []string, err error) {
	t.Helper()
	var mu sync.Mutex
	b := newBench()
	b.Options.Fence = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err.Error())
	}
	err = b.Run(t.Context(), main)
	return told, err
}

func TestFence_KeepsOtherGoroutinesOut(t *testing.T) {
	noLeaks(t)
	called := false
	told, err := fenced(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		var submitted error
		var others sync.WaitGroup
		others.Go(func() {
			l.CallSoon(func() { called = true })
			_, submitted = asyncio.Submit(l, func(context.Context) (int, error) { return 1, nil }).Wait(context.Background())
		})
		others.Wait() // it blocks the loop, which is what makes the test certain
		if !errors.Is(submitted, asyncio.ErrLoopClosed) {
			t.Errorf("Submit from outside: %v", submitted)
		}
		return asyncio.Sleep(ctx, time.Second)
	})
	if err != nil || called {
		t.Errorf("Run: %v; called: %v", err, called)
	}
	if len(told) != 2 || !strings.Contains(told[0], "called from another goroutine") {
		t.Errorf("the fence was told %q", told)
	}
}

func TestFence_RefusesWhatTheSystemHas(t *testing.T) {
	noLeaks(t)
	told, err := fenced(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		if _, err := l.Register(0); err == nil || !strings.Contains(err.Error(), "no place in a simulation") {
			t.Errorf("Register: %v", err)
		}
		return nil
	})
	if err != nil || len(told) != 1 || !strings.Contains(told[0], "Loop.Register(0)") {
		t.Errorf("Run: %v; told %q", err, told)
	}
}

// Without a fence, the handle and the function that cancels could be used by others.
func TestFence_MakesADeadlockCertain(t *testing.T) {
	noLeaks(t)
	told, err := fenced(t, func(ctx context.Context) error {
		if _, err := asyncio.RunningLoop(ctx); err != nil {
			return err
		}
		ctx, cancel := asyncio.WithCancel(ctx)
		defer cancel()
		_, err := asyncio.NewFuture[int](ctx).Await(ctx)
		return err
	})
	if !errors.Is(err, asyncio.ErrDeadlock) || len(told) != 0 {
		t.Errorf("Run: %v, want a deadlock; told %q", err, told)
	}
}

// A standard context tells from a goroutine of its own; in a simulation it must arrive
// at the same step every time.
func TestFence_StandardContextsArriveInTheNextTurn(t *testing.T) {
	noLeaks(t)
	for range 20 {
		var turns int
		told, err := fenced(t, func(ctx context.Context) error {
			std, cancel := context.WithCancel(context.WithoutCancel(ctx))
			defer cancel()
			w := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(std, time.Hour) })
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			cancel()
			for ; !w.Done(); turns++ {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(told) != 0 || turns != 2 {
			t.Fatalf("Run: %v; told %q; %d turns, want 2", err, told, turns)
		}
	}
}

// What the garbage collector would report when it likes is reported at the end.
func TestFence_UnretrievedErrorsAreReportedAtTheEnd(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Options.Fence = func(err error) { t.Error(err) }
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Go(ctx, func(context.Context) error { return errors.New("lost") })
		err := asyncio.Yield(ctx)
		for range 3 {
			runtime.GC() // nobody holds the task any more
		}
		err = errors.Join(err, asyncio.Yield(ctx))
		if n := b.log.Count("never retrieved"); n != 0 {
			t.Errorf("reported before the end:\n%s", b.log.Text())
		}
		return err
	})
	if n := b.log.Count("Task exception was never retrieved"); err != nil || n != 1 {
		t.Errorf("Run: %v; logged:\n%s", err, b.log.Text())
	}
}

func TestFence_IsAskedByPackages(t *testing.T) {
	noLeaks(t)
	told, err := fenced(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		return l.Fenced("the moon", "the sun")
	})
	if err == nil || len(told) != 1 || told[0] != err.Error() || !strings.Contains(told[0], "the moon, which has no place") {
		t.Errorf("Run: %v; told %q", err, told)
	}
	b := newBench()
	err = b.Run(t.Context(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		return errors.Join(err, l.Fenced("the moon", "the sun"))
	})
	if err != nil {
		t.Errorf("without a fence: %v", err)
	}
}

// What is refused fails for its caller, too, who would otherwise wait for ever.
func TestFence_ChannelsFailAtOnce(t *testing.T) {
	noLeaks(t)
	told, err := fenced(t, func(ctx context.Context) error {
		ch := make(chan int)
		_, _, received := asyncio.Recv(ctx, ch)
		sent := asyncio.Send(ctx, ch, 1)
		for what, err := range map[string]error{"Recv": received, "Send": sent} {
			if err == nil || !strings.Contains(err.Error(), what+": a goroutine") {
				t.Errorf("%s: %v", what, err)
			}
		}
		for range asyncio.Signals(ctx, os.Interrupt) {
			break
		}
		return nil
	})
	if err != nil || len(told) != 3 {
		t.Errorf("Run: %v; told %q", err, told)
	}
}
