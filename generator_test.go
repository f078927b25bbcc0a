package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// countTo makes a generator of 0 to n-1.
func countTo(ctx context.Context, n int) *asyncio.Generator[int] {
	return asyncio.Generate(ctx, func(_ context.Context, yield func(int) bool) error {
		for i := range n {
			if !yield(i) {
				return nil
			}
		}
		return nil
	})
}

// tellTale makes a generator that counts, one value a second, and tells s how
// it ends, for which it has to await.
func tellTale(ctx context.Context, s *story) *asyncio.Generator[int] {
	return asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) (err error) {
		defer func() {
			cleanup := asyncio.Sleep(context.WithoutCancel(ctx), time.Second)
			s.add("closed: %v, %v", err, cleanup)
		}()
		for i := 0; ; i++ {
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			if !yield(i) {
				return nil
			}
		}
	})
}

func TestGenerator_Next(t *testing.T) {
	run(t, func(ctx context.Context) error {
		g := countTo(ctx, 3)
		for want := range 3 {
			if v, ok, err := g.Next(ctx); v != want || !ok || err != nil {
				t.Errorf("Next = %v, %v, %v, want %d, true, nil", v, ok, err, want)
			}
		}
		for range 2 {
			if v, ok, err := g.Next(ctx); v != 0 || ok || err != nil {
				t.Errorf("Next after the end = %v, %v, %v, want 0, false, nil", v, ok, err)
			}
		}
		return nil
	})
}

func TestGenerator_IsLazyAndPassesTheLoopDirectly(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(string) bool) error {
			s.add("body")
			yield("value")
			s.add("body again")
			return nil
		})
		asyncio.Go(ctx, func(context.Context) error { s.add("other task"); return nil })
		v, _, err := g.Next(ctx)
		s.add("%s", v)
		_, _, _ = g.Next(ctx)
		s.add("end")
		_ = asyncio.Yield(ctx)
		return err
	})
	s.want(t, "body", "value", "body again", "end", "other task")
}

func TestGenerator_ErrorEndsIt(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		fails := func() *asyncio.Generator[int] {
			return asyncio.Generate(ctx, func(_ context.Context, yield func(int) bool) error {
				yield(1)
				return errBoom
			})
		}
		for v, err := range fails().All(ctx) {
			s.add("%d %v", v, err)
		}
		g := fails()
		for range 3 {
			v, ok, err := g.Next(ctx)
			s.add("%d %v %v", v, ok, err)
		}
		return nil
	})
	s.want(t, "1 <nil>", "0 boom", "1 true <nil>", "0 false boom", "0 false <nil>")
}

func TestGenerator_PanicReachesTheConsumer(t *testing.T) {
	run(t, func(ctx context.Context) error {
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			_ = asyncio.Sleep(ctx, time.Second)
			explode()
			return nil
		})
		text := panicOf(func() { _, _, _ = g.Next(ctx) })
		if !strings.HasPrefix(text, "asyncio: Generator-1-1 panicked: kaboom\n") || !strings.Contains(text, "asyncio_test.explode") {
			t.Errorf("Next panicked with %q, want the panic with its stack", text)
		}
		if _, ok, err := g.Next(ctx); ok || err != nil {
			t.Errorf("the next Next = %v, %v, want the end", ok, err)
		}
		return g.Close(ctx)
	})
}

func TestGenerator_BreakClosesAtOnce(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		for v := range tellTale(ctx, s).All(ctx) {
			s.add("%d", v)
			if v == 1 {
				break
			}
		}
		s.add("after the loop")
		return nil
	})
	s.want(t, "0", "1", "closed: <nil>, <nil>", "after the loop")
}

func TestGenerator_CloseStates(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(ctx context.Context, g *asyncio.Generator[int]) error
		want string
	}{
		{"not started", func(context.Context, *asyncio.Generator[int]) error { return nil }, ""},
		{"at a yield", func(ctx context.Context, g *asyncio.Generator[int]) error {
			_, _, err := g.Next(ctx)
			return err
		}, "closed: <nil>, <nil>"},
		{"in an await", func(ctx context.Context, g *asyncio.Generator[int]) error {
			ctx, cancel := asyncio.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			_, _, _ = g.Next(ctx)
			return nil
		}, "closed: asyncio: cancelled: the generator is being closed, <nil>"},
	} {
		s := &story{}
		run(t, func(ctx context.Context) error {
			_, err := asyncio.Go(ctx, func(ctx context.Context) error {
				g := tellTale(ctx, s)
				if err := c.do(ctx, g); err != nil {
					return err
				}
				if err := errors.Join(g.Close(ctx), g.Close(ctx)); err != nil {
					t.Errorf("%s: Close = %v", c.name, err)
				}
				if _, ok, err := g.Next(ctx); ok || err != nil {
					t.Errorf("%s: Next after Close = %v, %v", c.name, ok, err)
				}
				return nil
			}).Await(ctx)
			return err
		})
		if got := strings.Join(s.events, "; "); got != c.want {
			t.Errorf("%s: happened: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestGenerator_CloseByACancelledTaskWaits(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		g := tellTale(ctx, s)
		scope, cancel := asyncio.WithCancel(ctx)
		_, _, err := g.Next(scope)
		cancel()
		s.add("Close: %v", g.Close(scope))
		return err
	})
	s.want(t, "closed: <nil>, <nil>", "Close: <nil>")
}

func TestGenerator_CloseReturnsTheBodysError(t *testing.T) {
	run(t, func(ctx context.Context) error {
		g := asyncio.Generate(ctx, func(_ context.Context, yield func(int) bool) error {
			yield(1)
			return errBoom
		})
		_, _, err := g.Next(ctx)
		if first, second := g.Close(ctx), g.Close(ctx); first != errBoom || second != nil {
			t.Errorf("Close = %v and then %v, want boom and nil", first, second)
		}
		return err
	})
}

func TestGenerator_CloseFromAnotherTaskEndsTheConsumersWait(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		g := tellTale(ctx, s)
		consumer := asyncio.Go(ctx, func(ctx context.Context) error {
			v, ok, err := g.Next(ctx)
			s.add("consumer: %d %v %v", v, ok, err)
			return nil
		})
		_ = asyncio.Yield(ctx)
		s.add("Close: %v", g.Close(ctx))
		_, err := consumer.Await(ctx)
		return err
	})
	s.want(t, "closed: asyncio: cancelled: the generator is being closed, <nil>", "consumer: 0 false <nil>", "Close: <nil>")
}

func TestGenerator_CancelledNextLosesNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		g := tellTale(ctx, &story{})
		var got []int
		for len(got) < 5 { // the body takes longer for a value
			err := asyncio.Timeout(ctx, 500*time.Millisecond, func(ctx context.Context) error {
				v, ok, err := g.Next(ctx)
				if ok {
					got = append(got, v)
				}
				return err
			})
			if err != nil && !errors.Is(err, asyncio.ErrTimeout) {
				return err
			}
		}
		if fmt.Sprint(got) != "[0 1 2 3 4]" {
			t.Errorf("got %v", got)
		}
		return g.Close(ctx)
	})
}

func TestGenerator_SecondNextAtTheSameTimeFails(t *testing.T) {
	run(t, func(ctx context.Context) error {
		g := tellTale(ctx, &story{})
		first := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
			v, _, err := g.Next(ctx)
			return v, err
		})
		_ = asyncio.Yield(ctx)
		_, ok, err := g.Next(ctx)
		if ok || !errors.Is(err, asyncio.ErrGeneratorBusy) {
			t.Errorf("a second Next = %v, %v, want ErrGeneratorBusy", ok, err)
		}
		if v, err := first.Await(ctx); v != 0 || err != nil {
			t.Errorf("the first Next = %v, %v", v, err)
		}
		return g.Close(ctx)
	})
}

func TestGenerator_YieldMisused(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var kept func(int) bool
		g := asyncio.Generate(ctx, func(_ context.Context, yield func(int) bool) error {
			kept = yield
			for {
				yield(1) // ignores that nobody wants more
			}
		})
		_, _, err := g.Next(ctx)
		if outside := panicOf(func() { kept(2) }); !strings.HasPrefix(outside, "asyncio: yield: called outside of the function of <Generator Generator-1-1 ") {
			t.Errorf("yield called by main panics with %s", outside)
		}
		closing := panicOf(func() { _ = g.Close(ctx) })
		if !strings.Contains(closing, "asyncio: yield: called again by <Generator Generator-1-1 ") ||
			!strings.Contains(closing, " after it returned false; return instead") {
			t.Errorf("Close panics with %s", closing)
		}
		var selfish *asyncio.Generator[int]
		selfish = asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			if _, _, err := selfish.Next(ctx); !errors.Is(err, asyncio.ErrGeneratorBusy) {
				t.Errorf("Next in its own body = %v", err)
			}
			if text := panicOf(func() { _ = selfish.Close(ctx) }); !strings.Contains(text, "cannot close itself; return from its function") {
				t.Errorf("Close in its own body panics with %s", text)
			}
			return nil
		})
		_, _, nextErr := selfish.Next(ctx)
		return errors.Join(err, nextErr)
	})
}

func TestGenerator_Recursion(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tree func(ctx context.Context, n int) *asyncio.Generator[int]
		tree = func(ctx context.Context, n int) *asyncio.Generator[int] {
			return asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
				for range min(n, 1) * 2 {
					for v, err := range tree(ctx, n-1).All(ctx) {
						if err != nil || !yield(v) {
							return err
						}
					}
				}
				yield(n)
				return nil
			})
		}
		count := 0
		for _, err := range tree(ctx, 8).All(ctx) {
			if err != nil {
				return err
			}
			count++
		}
		if want := 1<<9 - 1; count != want {
			t.Errorf("%d nodes, want %d", count, want)
		}
		return nil
	})
}

func TestGenerator_ManyItemsLeaveOthersTheirTurns(t *testing.T) {
	const n = 100_000
	run(t, func(ctx context.Context) error {
		turns := countTurns(ctx)
		next, before := 0, turns()
		for v, err := range countTo(ctx, n).All(ctx) {
			if err != nil || v != next {
				t.Fatalf("item %d is %d, %v", next, v, err)
			}
			next++
		}
		if took := turns() - before; next != n || took < n/1000 {
			t.Errorf("%d items in %d turns: the other tasks wait too long", next, took)
		}
		return nil
	})
}

func TestGenerator_DroppedHalfWayIsClosed(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		func() { _, _, _ = tellTale(ctx, s).Next(ctx) }()
		for tries := 0; len(s.events) == 0 && tries < 1000; tries++ {
			runtime.GC()
			_ = asyncio.Sleep(ctx, time.Second)
		}
		s.want(t, "closed: <nil>, <nil>") // long before the loop closes
		return nil
	})
}

func TestGenerator_StartedAfterTheLoopClosedThemWarns(t *testing.T) {
	noLeaks(t)
	b, s := newBench(), &story{}
	err := b.Run(t.Context(), func(ctx context.Context) error {
		late := countTo(ctx, 3)
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			yield(1)
			v, ok, err := late.Next(ctx)
			s.add("%d %v %v", v, ok, err)
			return nil
		})
		_, _, err := g.Next(ctx)
		return err
	})
	s.want(t, "0 false <nil>")
	if err != nil || len(b.log.Lines()) != 1 || b.log.Count("WARN asyncio: asynchronous generator <Generator Generator-1-1 ",
		"was started after the loop has closed its generators") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestGenerator_BodyAwaitsAndSpawnsUnderAContextOfItsOwn(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		type key struct{}
		scope, cancel := asyncio.WithCancelCause(ctx)
		g := asyncio.Generate(context.WithValue(scope, key{}, "value"), func(ctx context.Context, yield func(string) bool) error {
			child := asyncio.Spawn(ctx, taskAnswer)
			v, err := child.Await(ctx)
			yield(fmt.Sprintf("%s %d %v %v %v", child.Name(), v, ctx.Value(key{}), ctx.Err(), context.Cause(ctx)))
			return err
		})
		cancel(errBoom) // which ends the consumer, not the generator
		_, _, err := g.Next(scope)
		s.add("%v", err)
		v, _, err := g.Next(ctx)
		s.add("%s", v)
		return errors.Join(err, g.Close(ctx))
	})
	s.want(t, "asyncio: cancelled: boom", "Generator-1-1-1 42 value <nil> <nil>")
}
