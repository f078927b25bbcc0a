package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// below reports whether a task runs on the machine that ctx.Value tells.
type machine struct{}

func on(name string) func(t asyncio.AnyTask) bool {
	return func(t asyncio.AnyTask) bool { return t.Context().Value(machine{}) == name }
}

func TestUnwind_EndsTheCondemnedAndNobodyElse(t *testing.T) {
	noLeaks(t)
	for name, c := range choosers() {
		var told story
		b := newBench()
		b.Options.Chooser = c
		err := b.Run(t.Context(), func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			doomed := context.WithValue(ctx, machine{}, "a")
			var lock asyncio.Lock
			sleeper := asyncio.Go(doomed, func(ctx context.Context) error {
				defer told.add("deferred ")
				defer func() { // an await that does not return, though nobody cancels it
					_ = asyncio.Sleep(context.WithoutCancel(ctx), time.Second)
					told.add("returned ")
				}()
				asyncio.Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
					defer told.add("child ")
					return lock.Do(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
				})
				return asyncio.Sleep(ctx, time.Hour)
			})
			other := asyncio.Go(context.WithValue(ctx, machine{}, "b"), func(ctx context.Context) error {
				if err := asyncio.Sleep(ctx, 2*time.Second); err != nil {
					return err
				}
				return lock.Do(ctx, func(context.Context) error { told.add("other "); return nil })
			})
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			l.Unwind(on("a"))
			if _, err := sleeper.Await(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "unwound by force") {
				t.Errorf("%s: the unwound task ended with %v", name, err)
			}
			_, err = other.Await(ctx)
			return err
		})
		if err != nil {
			t.Errorf("%s: Run: %v", name, err)
		}
		got := strings.Join(told.events, "")
		if want := "deferred child other "; got != want && got != "child deferred other " {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if text := b.log.Text(); text != "" {
			t.Errorf("%s: logged:\n%s", name, text)
		}
	}
}

func TestUnwind_OfTheCallerItself(t *testing.T) {
	noLeaks(t)
	b := newBench()
	var told story
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		asyncio.Go(context.WithValue(ctx, machine{}, "a"), func(ctx context.Context) error {
			defer told.add("deferred")
			l.Unwind(on("a"))
			told.add("goes on ")
			err := asyncio.Sleep(ctx, time.Hour)
			told.add("returns ")
			return err
		})
		return errors.Join(err, asyncio.Sleep(ctx, time.Minute))
	})
	if got := strings.Join(told.events, ""); err != nil || got != "goes on deferred" {
		t.Errorf("Run: %v; story %q", err, got)
	}
}

func TestUnwind_OfWhatAGroupHoldsBack(t *testing.T) {
	noLeaks(t)
	b := newBench()
	began := 0
	err := b.Run(t.Context(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		asyncio.Go(context.WithValue(ctx, machine{}, "a"), func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.SetLimit(1)
				for range 3 {
					g.Go(func(ctx context.Context) error { began++; return asyncio.Sleep(ctx, time.Hour) })
				}
				return nil
			})
		})
		err = errors.Join(err, asyncio.Sleep(ctx, time.Second))
		l.Unwind(on("a"))
		err = errors.Join(err, asyncio.Sleep(ctx, time.Second))
		if n := l.Tasks().Len(); n != 1 {
			t.Errorf("%d tasks are left, want main alone:\n%v", n, l.Tasks())
		}
		return err
	})
	if err != nil || began != 1 {
		t.Errorf("Run: %v; %d began, want 1", err, began)
	}
}
