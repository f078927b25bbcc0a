package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestGroupError_Text(t *testing.T) {
	several := &asyncio.GroupError{Errs: []error{errBoom, errors.New("two\nlines")}}
	for want, err := range map[string]error{
		"asyncio: 2 tasks failed:\n\tboom\n\ttwo\n\tlines": several,
		"asyncio: 2 tasks failed:\n\tasyncio: 2 tasks failed:\n\t\tboom\n\t\ttwo\n\t\tlines\n\tother": &asyncio.GroupError{
			Errs: []error{several, errGroupOther}},
		"listing: asyncio: 2 tasks failed:\n\tboom\n\ttwo\n\tlines": fmt.Errorf("listing: %w", several),
	} {
		wantErr(t, err, want)
	}
}

func TestGroupError_IsAllOfItsErrors(t *testing.T) {
	inner := &asyncio.GroupError{Errs: []error{errGroupOther, &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}}}
	var err error = &asyncio.GroupError{Errs: []error{errBoom, inner}}
	for _, is := range []error{errBoom, errGroupOther, fs.ErrNotExist} {
		if !errors.Is(err, is) {
			t.Errorf("it does not match %v", is)
		}
	}
	var pe *fs.PathError
	if !errors.As(err, &pe) || pe.Path != "x" {
		t.Errorf("errors.As found %v", pe)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, asyncio.ErrTimeout) {
		t.Error("it matches what nobody has returned")
	}
	unwrapped := err.(interface{ Unwrap() []error }).Unwrap()
	if len(unwrapped) != 2 || unwrapped[0] != errBoom || unwrapped[1] != error(inner) {
		t.Errorf("it unwraps to %v", unwrapped)
	}
}

// endedGroup returns a group whose Group has returned.
func endedGroup(ctx context.Context) (ended *asyncio.TaskGroup, err error) {
	err = asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
		ended = g
		g.Go(nothing)
		return nil
	})
	return ended, err
}

// groupStarters are the ways to start a task in a group, by the name that stands
// in messages.
var groupStarters = map[string]func(ctx context.Context, g *asyncio.TaskGroup){
	"TaskGroup.Go": func(_ context.Context, g *asyncio.TaskGroup) { g.Go(nothing) },
	"SpawnIn":      func(_ context.Context, g *asyncio.TaskGroup) { asyncio.SpawnIn(g, nothingV) },
	"SpawnWith": func(ctx context.Context, g *asyncio.TaskGroup) {
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Group: g}, nothingV)
	},
	"StartIn": func(ctx context.Context, g *asyncio.TaskGroup) {
		_, _ = asyncio.StartIn(ctx, g, func(context.Context, func(int)) error { return nil })
	},
}

func TestGroup_TakesNoTasksOnceItHasEnded(t *testing.T) {
	run(t, func(ctx context.Context) error {
		g, err := endedGroup(ctx)
		for fn, start := range groupStarters {
			want := "asyncio: " + fn + ": the group of Task-1 has ended; start tasks in it while its function or one of its tasks runs"
			if got := panicOf(func() { start(ctx, g) }); got != want {
				t.Errorf("panic is %s\nwant     %s", got, want)
			}
		}
		g.Cancel() // of a group that has ended does nothing
		g.SetLimit(1)
		return errors.Join(err, asyncio.Yield(ctx))
	})
}

func TestGroup_MustBeOpened(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const advice = ": the group was not opened; call Group and use the group that its function is given"
		for fn, start := range groupStarters {
			if fn == "SpawnWith" {
				continue // where nil means no group
			}
			if got, want := panicOf(func() { start(ctx, nil) }), "asyncio: "+fn+advice; got != want {
				t.Errorf("of nil: panic is %s\nwant     %s", got, want)
			}
		}
		uses := map[string]func(ctx context.Context, g *asyncio.TaskGroup){
			"TaskGroup.Cancel":   func(_ context.Context, g *asyncio.TaskGroup) { g.Cancel() },
			"TaskGroup.SetLimit": func(_ context.Context, g *asyncio.TaskGroup) { g.SetLimit(1) },
		}
		maps.Copy(uses, groupStarters)
		for fn, use := range uses {
			if got, want := panicOf(func() { use(ctx, &asyncio.TaskGroup{}) }), "asyncio: "+fn+advice; got != want {
				t.Errorf("of a zero one: panic is %s\nwant     %s", got, want)
			}
		}
		if got := (&asyncio.TaskGroup{}).String(); got != "<TaskGroup>" {
			t.Errorf("a zero one is %s", got)
		}
		return nil
	})
}

func TestGroup_NeedsFunctions(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for fn, f := range map[string]func(){
				"Group":        func() { _ = asyncio.Group(ctx, nil) },
				"TaskGroup.Go": func() { g.Go(nil) },
				"SpawnIn":      func() { asyncio.SpawnIn[int](g, nil) },
				"StartIn":      func() { _, _ = asyncio.StartIn[int](ctx, g, nil) },
			} {
				if got, want := panicOf(f), "asyncio: "+fn+": the function is nil; pass the function to call"; got != want {
					t.Errorf("panic is %s\nwant     %s", got, want)
				}
			}
			return nil
		})
	})
}

func TestGroup_BelongsToItsLoop(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		advice := ": called from a goroutine that does not run " + loopName(t, l) + "; from other goroutines use Loop.CallSoon or Submit"
		groupErr := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
				for fn, f := range map[string]func(){
					"Group":              func() { _ = asyncio.Group(ctx, func(context.Context, *asyncio.TaskGroup) error { return nil }) },
					"TaskGroup.Go":       func() { g.Go(nothing) },
					"TaskGroup.Cancel":   func() { g.Cancel() },
					"TaskGroup.SetLimit": func() { g.SetLimit(1) },
					"SpawnIn":            func() { asyncio.SpawnIn(g, nothingV) },
					"StartIn":            func() { groupStarters["StartIn"](ctx, g) },
				} {
					if got, want := panicOf(f), "asyncio: "+fn+advice; got != want {
						t.Errorf("panic is %s\nwant     %s", got, want)
					}
				}
				return 0, nil
			})
			return err
		})
		return errors.Join(err, groupErr)
	})
}

func TestGroup_TakesNoTasksOfAnotherLoop(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			return func() error {
				_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
					return asyncio.Run(context.Background(), func(context.Context) (int, error) {
						text := panicOf(func() { g.Go(nothing) })
						if !strings.HasPrefix(text, "asyncio: TaskGroup.Go: belongs to loop ") ||
							!strings.HasSuffix(text, "; hand values from loop to loop with CallSoon or Submit") {
							t.Errorf("panic is %s", text)
						}
						return 0, nil
					})
				})
				return err
			}()
		})
	})
}

func TestGroup_NeedsATaskAndALoop(t *testing.T) {
	empty := func(context.Context, *asyncio.TaskGroup) error { return nil }
	text := panicOf(func() { _ = asyncio.Group(t.Context(), empty) })
	if want := "asyncio: Group: no running event loop in this context; pass the ctx that your coroutine was given, " +
		"or enter a loop with asyncio.Run(ctx, main)"; text != want {
		t.Errorf("without a loop: panic is %s\nwant     %s", text, want)
	}
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		l.CallSoon(func() {
			text := panicOf(func() { _ = asyncio.Group(ctx, empty) })
			if want := "asyncio: Group: called from a plain callback, which cannot wait; start a task from it with Go or Spawn"; text != want {
				t.Errorf("in a callback: panic is %s\nwant     %s", text, want)
			}
		})
		asyncio.NoAwait(ctx, func() {
			text := panicOf(func() { _ = asyncio.Group(ctx, empty) })
			if !strings.HasPrefix(text, "asyncio: Group: awaits inside NoAwait (") {
				t.Errorf("in NoAwait: panic is %s", text)
			}
		})
		return errors.Join(err, asyncio.Yield(ctx))
	})
}

// A wait for the task that joins the group would never end. Joins cannot fail, so
// the other wait does, whichever comes first.
func TestGroup_TaskThatAwaitsItsParentIsADeadlock(t *testing.T) {
	for name, before := range map[string]time.Duration{"before the join": 0, "in the join": time.Second} {
		run(t, func(ctx context.Context) error {
			var parent *asyncio.Task[struct{}]
			parent = asyncio.Go(ctx, func(ctx context.Context) error {
				return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
					g.Go(func(ctx context.Context) error {
						if err := asyncio.Sleep(ctx, before); err != nil {
							return err
						}
						_, err := parent.Await(ctx)
						return err
					})
					if before == 0 {
						return asyncio.Sleep(ctx, time.Second)
					}
					return nil
				})
			})
			_, err := parent.Await(ctx)
			var de *asyncio.DeadlockError
			if !errors.As(err, &de) || !errors.Is(err, asyncio.ErrDeadlock) || len(de.Circle) != 2 {
				t.Errorf("%s: the group returned %v", name, err)
			}
			return nil
		})
	}
}
