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
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// groupPanicValue calls f and returns what it panics with.
func groupPanicValue(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

// panickyGroup runs a group on a bench of its own and returns what Group panics
// with, and what is logged. Main goes on after it.
func panickyGroup(t *testing.T, f func(ctx context.Context, g *asyncio.TaskGroup) error) (value any, log *asynciotest.Log) {
	t.Helper()
	noLeaks(t)
	b := quietBench()
	if err := b.Run(t.Context(), func(ctx context.Context) error {
		value = groupPanicValue(func() {
			err := asyncio.Group(ctx, f)
			t.Errorf("Group returned %v", err)
		})
		return asyncio.Sleep(ctx, time.Second)
	}); err != nil {
		t.Errorf("Run: %v", err)
	}
	return value, b.log
}

// wantPanicError fails unless value is the panic "kaboom" of explode, in the task
// of that name, with the stack that it had.
func wantPanicError(t *testing.T, value any, task string) {
	t.Helper()
	pe, ok := value.(*asyncio.PanicError)
	if !ok || pe.Value != "kaboom" || !strings.Contains(string(pe.Stack), "asyncio_test.explode") ||
		!strings.HasPrefix(pe.Error(), "asyncio: "+task+" panicked: kaboom\n\ngoroutine ") {
		t.Errorf("panicked with %T %.200v, want the one of %s", value, value, task)
	}
}

func TestGroupPanic_OfATask(t *testing.T) {
	for name, body := range map[string]func(ctx context.Context) error{
		"in the join": nothing, "in the body": sleepLong, "caught in the body": func(ctx context.Context) error { _ = sleepLong(ctx); return nil },
	} {
		value, log := panickyGroup(t, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				_ = asyncio.Yield(ctx)
				explode()
				return nil
			})
			g.Go(sleepLong)
			return body(ctx)
		})
		wantPanicError(t, value, "Task-1-1")
		if len(log.Lines()) != 1 || log.Count("ERROR asyncio: Task panicked", "name='Task-1-1'", "kaboom", "asyncio_test.explode") != 1 {
			t.Errorf("%s: logged:\n%s", name, log.Text())
		}
	}
}

// The panic is in the log at once, and in the parent when the siblings are gone.
func TestGroupPanic_SiblingsAreGoneFirst(t *testing.T) {
	s := &story{}
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		value := groupPanicValue(func() {
			defer s.add("Group is left")
			_ = asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					err := sleepLong(ctx)
					s.add("sibling: %.60s, logged %d", groupFirstLine(err), b.log.Count("kaboom"))
					defer s.add("sibling has ended")
					return asyncio.Sleep(context.WithoutCancel(ctx), time.Minute)
				})
				g.Go(func(ctx context.Context) error {
					defer func() { _ = asyncio.Sleep(context.WithoutCancel(ctx), time.Second); s.add("deferred in the task") }()
					_ = asyncio.Yield(ctx)
					explode()
					return nil
				})
				return nil
			})
		})
		wantPanicError(t, value, "Task-1-2")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	s.want(t, "deferred in the task",
		"sibling: asyncio: cancelled: Task-1-2 panicked, logged 1", "sibling has ended", "Group is left")
}

// groupFirstLine is the first line of an error.
func groupFirstLine(err error) string {
	line, _, _ := strings.Cut(fmt.Sprint(err), "\n")
	return line
}

func TestGroupPanic_LeavesRunWithTheStackOfTheTask(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	text := panicOf(func() {
		_ = b.Run(t.Context(), func(ctx context.Context) error {
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				asyncio.SpawnIn(g, taskPanic)
				return nil
			})
		})
	})
	if !strings.HasPrefix(text, "asyncio: Task-1-1 panicked: kaboom\n") || !strings.Contains(text, "asyncio_test.taskPanic") {
		t.Errorf("Run panicked with %s", text)
	}
	if len(b.log.Lines()) != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}

// The panic of f leaves Group as it is, like that of any function that is called.
func TestGroupPanic_OfTheBody(t *testing.T) {
	s := &story{}
	value, log := panickyGroup(t, func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.Go(func(ctx context.Context) error {
			err := sleepLong(ctx)
			_ = asyncio.Sleep(context.WithoutCancel(ctx), time.Minute)
			s.add("task: %v", err)
			return err
		})
		defer func() { _ = asyncio.Sleep(ctx, time.Second); s.add("deferred in f") }()
		_ = asyncio.Yield(ctx)
		explode()
		return nil
	})
	if value != "kaboom" || log.Text() != "" {
		t.Errorf("Group panicked with %v, logged:\n%s", value, log.Text())
	}
	s.want(t, "deferred in f", "task: asyncio: cancelled: the group was cancelled")
}

func TestGroupPanic_OfTheBodyIsReportedOnceWithItsStack(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	var parent *asyncio.Task[struct{}]
	err := b.Run(t.Context(), func(ctx context.Context) error {
		parent = asyncio.Go(ctx, groupIn(func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupCleanup(time.Second, errBoom)) // its error is nothing beside the panic
			explode()
			return nil
		}))
		_, err := parent.Await(ctx)
		var pe *asyncio.PanicError
		if !errors.As(err, &pe) {
			t.Errorf("the parent returned %v", err)
		}
		wantPanicError(t, pe, "Task-1-1")
		return nil
	})
	if err != nil || len(b.log.Lines()) != 1 || b.log.Count("ERROR asyncio: Task panicked", "kaboom", "asyncio_test.explode") != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestGroupPanic_OfTwoTasks(t *testing.T) {
	value, log := panickyGroup(t, func(_ context.Context, g *asyncio.TaskGroup) error {
		asyncio.SpawnIn(g, taskPanic)
		g.Go(func(ctx context.Context) error {
			defer panic("second")
			return sleepLong(ctx)
		})
		g.Go(groupCleanup(time.Second, errBoom))
		return nil
	})
	wantPanicError(t, value, "Task-1-1")
	if len(log.Lines()) != 1 || log.Count("kaboom") != 1 { // the second one had not begun
		t.Errorf("logged:\n%s", log.Text())
	}
	value, log = panickyGroup(t, func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.Go(func(ctx context.Context) error {
			defer panic("second")
			return sleepLong(ctx)
		})
		_ = asyncio.Yield(ctx)
		asyncio.SpawnIn(g, taskPanic)
		return nil
	})
	wantPanicError(t, value, "Task-1-2")
	if len(log.Lines()) != 2 || log.Count("kaboom") != 1 || log.Count("second") != 1 {
		t.Errorf("logged:\n%s", log.Text())
	}
}

func TestGroupPanic_OfTheBodyAndOfATask(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(ctx context.Context, g *asyncio.TaskGroup) error
		want string
	}{
		"the task first": {func(ctx context.Context, g *asyncio.TaskGroup) error {
			asyncio.SpawnIn(g, taskPanic)
			_ = sleepLong(ctx)
			panic("body")
		}, "body"},
		"the body first": {func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error { _ = sleepLong(ctx); explode(); return nil })
			_ = asyncio.Yield(ctx)
			panic("body")
		}, "body"},
	} {
		value, log := panickyGroup(t, c.f)
		if value != c.want {
			t.Errorf("%s: Group panicked with %v", name, value)
		}
		if len(log.Lines()) != 1 || log.Count("ERROR asyncio: Task panicked", "kaboom") != 1 {
			t.Errorf("%s: logged:\n%s", name, log.Text())
		}
	}
}

// As with SystemExit in asyncio: beside a panic, errors are not told.
func TestGroupPanic_WinsOverErrors(t *testing.T) {
	value, log := panickyGroup(t, func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.Go(func(ctx context.Context) error { _ = sleepLong(ctx); explode(); return nil })
		g.Go(fail)
		_ = asyncio.Yield(ctx)
		return errGroupOther
	})
	wantPanicError(t, value, "Task-1-1")
	if len(log.Lines()) != 1 {
		t.Errorf("logged:\n%s", log.Text())
	}
}

func TestGroupPanic_Nested(t *testing.T) {
	s := &story{}
	value, log := panickyGroup(t, func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.Go(func(ctx context.Context) error {
			defer s.add("sibling further out")
			return sleepLong(ctx)
		})
		g.Go(groupIn(func(ctx context.Context, g *asyncio.TaskGroup) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					defer s.add("sibling")
					return sleepLong(ctx)
				})
				_ = asyncio.Yield(ctx)
				asyncio.SpawnIn(g, taskPanic)
				return nil
			})
		}))
		return nil
	})
	wantPanicError(t, value, "Task-1-2-2")
	if len(log.Lines()) != 1 || log.Count("name='Task-1-2-2'") != 1 {
		t.Errorf("it was reported where it passed through:\n%s", log.Text())
	}
	s.want(t, "sibling", "sibling further out")
}

func TestGroupPanic_RecoveredBetweenTwoGroups(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) (err error) {
				defer func() { err = recover().(error) }()
				return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
					g.Go(func(context.Context) error { panic(errBoom) })
					return nil
				})
			})
			return nil
		})
		var pe *asyncio.PanicError
		if !errors.As(err, &pe) || !errors.Is(err, errBoom) {
			t.Errorf("the outer group returned %v", err)
		}
		return groupIn(func(_ context.Context, g *asyncio.TaskGroup) error { g.Go(nothing); return nil })(ctx)
	})
	if err != nil || len(b.log.Lines()) != 1 {
		t.Errorf("Run = %v, logged:\n%s", err, b.log.Text())
	}
}

func TestGroupPanic_AwaitedInTheBody(t *testing.T) {
	value, log := panickyGroup(t, func(ctx context.Context, g *asyncio.TaskGroup) error {
		_, err := asyncio.SpawnIn(g, taskPanic).Await(ctx)
		return err
	})
	wantPanicError(t, value, "Task-1-1")
	if len(log.Lines()) != 1 {
		t.Errorf("logged:\n%s", log.Text())
	}
}

func TestGroupPanic_OfAnEagerTask(t *testing.T) {
	value, log := panickyGroup(t, func(ctx context.Context, g *asyncio.TaskGroup) error {
		asyncio.SpawnWith(ctx, asyncio.TaskOptions{Group: g, Eager: true}, taskPanic)
		if ctx.Err() != context.Canceled {
			t.Errorf("the context of f says %v", ctx.Err())
		}
		return nil
	})
	wantPanicError(t, value, "Task-1-1")
	if len(log.Lines()) != 1 {
		t.Errorf("logged:\n%s", log.Text())
	}
}

// Goexit, as t.FailNow calls it, ends the loop's goroutine; the group is unwound in
// order before that.
func TestGroupPanic_Goexit(t *testing.T) {
	noLeaks(t)
	for name, c := range map[string]struct {
		f    func(ctx context.Context, g *asyncio.TaskGroup) error
		want string
	}{
		"of a task": {func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(func(ctx context.Context) error { _ = asyncio.Yield(ctx); runtime.Goexit(); return nil })
			return nil
		}, "task: asyncio: cancelled: the event loop is shutting down; group is left"},
		"of an eager task": {func(ctx context.Context, g *asyncio.TaskGroup) error {
			_ = asyncio.Yield(ctx)
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Group: g, Eager: true}, func(context.Context) (int, error) {
				runtime.Goexit()
				return 0, nil
			})
			return nil
		}, "task: asyncio: cancelled: the group was cancelled; group is left"},
		"of the body": {func(ctx context.Context, g *asyncio.TaskGroup) error {
			_ = asyncio.Yield(ctx)
			runtime.Goexit()
			return nil
		}, "task: asyncio: cancelled: the group was cancelled; group is left"},
	} {
		s, b, ended := &story{}, quietBench(), make(chan struct{})
		go func() {
			defer close(ended)
			_ = b.Run(t.Context(), func(ctx context.Context) error {
				defer s.add("group is left")
				return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
					g.Go(func(ctx context.Context) error {
						err := sleepLong(ctx)
						_ = asyncio.Sleep(context.WithoutCancel(ctx), time.Second)
						s.add("task: %v", err)
						return err
					})
					return c.f(ctx, g)
				})
			})
			t.Errorf("Goexit %s: Run returned", name)
		}()
		<-ended
		if got := strings.Join(s.events, "; "); got != c.want || b.log.Text() != "" {
			t.Errorf("Goexit %s: happened: %s, logged:\n%s", name, got, b.log.Text())
		}
	}
}
