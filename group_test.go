package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

var errGroupOther = errors.New("other")

// groupValue is a function that returns v after d.
func groupValue(d time.Duration, v int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) { return v, asyncio.Sleep(ctx, d) }
}

// groupError is a function that fails with err after d.
func groupError(d time.Duration, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		if cancelled := asyncio.Sleep(ctx, d); cancelled != nil {
			return cancelled
		}
		return err
	}
}

// groupCleanup sleeps until it is cancelled, cleans up for d, whatever happens,
// and fails with err then; without an err it returns the cancellation.
func groupCleanup(d time.Duration, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		cancelled := sleepLong(ctx)
		_ = asyncio.Sleep(context.WithoutCancel(ctx), d)
		if err == nil {
			return cancelled
		}
		return err
	}
}

func TestGroup_WaitsForItsTasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var a, b *asyncio.Task[int]
		var err error
		past := took(t, ctx, func() {
			err = asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				a = asyncio.SpawnIn(g, groupValue(100*time.Millisecond, 42))
				err := asyncio.Sleep(ctx, 150*time.Millisecond)
				b = asyncio.SpawnIn(g, groupValue(200*time.Millisecond, 11)) // the first one is done
				return err
			})
		})
		if past != 350*time.Millisecond {
			t.Errorf("the group took %v, want 350ms", past)
		}
		va, errA := a.Result()
		vb, errB := b.Result()
		if va != 42 || vb != 11 {
			t.Errorf("results are %d and %d, want 42 and 11", va, vb)
		}
		return errors.Join(err, errA, errB)
	})
}

func TestGroup_RunsTasksConcurrentlyInOrder(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, name := range []string{"a", "b"} {
				g.Go(func(ctx context.Context) error {
					s.add("%s begins", name)
					_ = asyncio.Yield(ctx)
					s.add("%s ends", name)
					return nil
				})
			}
			s.add("f ends")
			return nil
		})
	})
	s.want(t, "f ends", "a begins", "b begins", "a ends", "b ends")
}

func TestGroup_TurnCounts(t *testing.T) {
	spawn := func(n int, o asyncio.TaskOptions) func(ctx context.Context, g *asyncio.TaskGroup) error {
		return func(ctx context.Context, g *asyncio.TaskGroup) error {
			o.Group = g
			for range n {
				asyncio.SpawnWith(ctx, o, taskAnswer)
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		want int
		f    func(ctx context.Context, g *asyncio.TaskGroup) error
	}{
		"an empty group":     {0, spawn(0, asyncio.TaskOptions{})},
		"one task":           {2, spawn(1, asyncio.TaskOptions{})},
		"ten tasks":          {2, spawn(10, asyncio.TaskOptions{})},
		"ten eager tasks":    {0, spawn(10, eager)},
		"an error of f":      {0, func(context.Context, *asyncio.TaskGroup) error { return errBoom }},
		"a cancel and no f":  {0, func(_ context.Context, g *asyncio.TaskGroup) error { g.Cancel(); return nil }},
		"a task that is not": {2, func(_ context.Context, g *asyncio.TaskGroup) error { g.Go(nothing); g.Cancel(); return nil }},
	} {
		run(t, func(ctx context.Context) error {
			turns := countTurns(ctx)
			before := turns()
			_ = asyncio.Group(ctx, c.f)
			if got := turns() - before; got != c.want {
				t.Errorf("%s takes %d turns, want %d", name, got, c.want)
			}
			return nil
		})
	}
}

func TestGroup_OneErrorIsReturnedAsItIs(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var sibling *asyncio.Task[struct{}]
		var inBody error
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupError(time.Second, errBoom))
			sibling = g.Go(sleepLong)
			inBody = sleepLong(ctx)
			return inBody
		})
		if err != errBoom {
			t.Errorf("Group returned %v, want the error itself", err)
		}
		_, cancelled := sibling.Result()
		if sibling.State() != asyncio.Cancelled {
			t.Errorf("the sibling is %v", sibling.State())
		}
		// Nobody but the group has the error: who is cancelled has not failed with it.
		for who, err := range map[string]error{"f": inBody, "the sibling": cancelled} {
			wantErr(t, err, "asyncio: cancelled: Task-1-1 failed: boom")
			if errors.Is(err, errBoom) {
				t.Errorf("%s got %v, which must not match the error of another", who, err)
			}
		}
		return nil
	})
}

func TestGroup_ErrorWhileItWaits(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var sibling *asyncio.Task[struct{}]
		past := took(t, ctx, func() {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.Go(groupError(time.Second, errBoom))
				sibling = g.Go(sleepLong)
				return nil
			})
			if err != errBoom || sibling.State() != asyncio.Cancelled {
				t.Errorf("Group returned %v, the sibling is %v", err, sibling.State())
			}
		})
		if past != time.Second {
			t.Errorf("it took %v, want 1s", past)
		}
		return nil
	})
}

func TestGroup_ErrorOfItsFunctionCancelsTheTasks(t *testing.T) {
	for name, before := range map[string]func(ctx context.Context) error{"at once": nothing, "later": sleeping(time.Second)} {
		s := &story{}
		run(t, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				for i := range 2 {
					g.Go(func(ctx context.Context) error {
						err := sleepLong(ctx)
						s.add("%d: %v", i, err)
						return err
					})
				}
				return errors.Join(before(ctx), errBoom)
			})
			if !errors.Is(err, errBoom) {
				t.Errorf("%s: Group returned %v", name, err)
			}
			return nil
		})
		if name == "later" { // or they had not begun
			s.want(t, "0: asyncio: cancelled: Task-1 failed: boom", "1: asyncio: cancelled: Task-1 failed: boom")
		} else {
			s.want(t)
		}
	}
}

func TestGroup_SeveralErrorsInOrderOfCompletion(t *testing.T) {
	run(t, func(ctx context.Context) error {
		body, slow, fast := errors.New("body"), errors.New("slow"), errors.New("fast")
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupCleanup(2*time.Second, slow))
			g.Go(groupCleanup(time.Second, fast))
			g.Go(sleepLong)
			g.Go(groupError(time.Second, errBoom))
			_ = sleepLong(ctx)
			return body
		})
		wantErr(t, err, "asyncio: 4 tasks failed:\n\tboom\n\tbody\n\tfast\n\tslow")
		var ge *asyncio.GroupError
		if !errors.As(err, &ge) || len(ge.Errs) != 4 || ge.Errs[0] != errBoom || ge.Errs[3] != slow {
			t.Errorf("the errors are %v", ge)
		}
		return nil
	})
}

// What f gets from a task that it awaits, and passes on, is no second error: it is
// cancelled by then, as a task of asyncio's groups is.
func TestGroup_ErrorThatIsPassedOnCountsOnce(t *testing.T) {
	for name, pass := range map[string]func(err error) error{
		"as it is": func(err error) error { return err },
		"wrapped":  func(err error) error { return fmt.Errorf("no value: %w", err) },
	} {
		run(t, func(ctx context.Context) error {
			err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				failing := g.Go(groupError(time.Second, errBoom))
				g.Go(func(ctx context.Context) error {
					_, err := failing.Await(ctx)
					return pass(err)
				})
				_, err := failing.Await(ctx)
				return pass(err)
			})
			if err != errBoom {
				t.Errorf("%s: Group returned %q, want boom as it is", name, err)
			}
			return nil
		})
	}
}

func TestGroup_ErrorBesideTheCancellationIsNotLost(t *testing.T) {
	run(t, func(ctx context.Context) error {
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(groupError(time.Second, errBoom))
			g.Go(func(ctx context.Context) error { return errors.Join(sleepLong(ctx), errGroupOther) })
			return nil
		})
		var ge *asyncio.GroupError
		if !errors.As(err, &ge) || len(ge.Errs) != 2 || !errors.Is(ge.Errs[1], errGroupOther) {
			t.Errorf("Group returned %v, want boom and what the cleanup failed with", err)
		}
		return nil
	})
}

// CancelledErrors are told apart by whose they are. The task that is cancelled has
// not failed; who returns the cancellation of another has.
func TestGroup_CancellationOfAnotherIsAnError(t *testing.T) {
	run(t, func(ctx context.Context) error {
		other := asyncio.Go(ctx, sleepLong)
		var passing *asyncio.Task[struct{}]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			passing = g.Go(func(ctx context.Context) error {
				_, err := other.Await(ctx)
				return err
			})
			_ = asyncio.Yield(ctx)
			other.Cancel(errBoom)
			return nil
		})
		wantErr(t, err, "asyncio: cancelled: boom")
		if passing.State() != asyncio.Failed {
			t.Errorf("the task that passed it on is %v", passing.State())
		}
		return asyncio.Yield(ctx) // and this task is not cancelled
	})
}

func TestGroup_ContextEndsWithIt(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var inGroup context.Context
		var outliving *asyncio.Task[struct{}]
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			inGroup = ctx
			g.Go(func(ctx context.Context) error {
				outliving = asyncio.Go(ctx, sleepLong) // of the loop, not of the group
				return nil
			})
			return nil
		})
		if outliving.Done() {
			t.Error("the group has waited for a task that is not its own")
		}
		if inGroup.Err() != context.Canceled {
			t.Errorf("after the group, its context says %v", inGroup.Err())
		}
		select {
		case <-inGroup.Done():
		default:
			t.Error("after the group, its context is not done")
		}
		wantErr(t, asyncio.Yield(inGroup), "asyncio: cancelled")
		_, cancelled := outliving.Await(ctx)
		wantErr(t, cancelled, "asyncio: cancelled")
		return err
	})
}

func TestGroup_ContextInheritsValuesAndDeadline(t *testing.T) {
	run(t, func(ctx context.Context) error {
		limited, cancel := asyncio.WithTimeout(ctx, time.Hour)
		defer cancel()
		deadline, _ := limited.Deadline()
		return asyncio.Group(context.WithValue(limited, key{}, 7), func(ctx context.Context, g *asyncio.TaskGroup) error {
			check := func(ctx context.Context) error {
				if d, ok := ctx.Deadline(); !ok || !d.Equal(deadline) || ctx.Value(key{}) != 7 {
					return fmt.Errorf("deadline %v, value %v", d, ctx.Value(key{}))
				}
				return nil
			}
			g.Go(check)
			return check(ctx)
		})
	})
}

func TestGroup_String(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var group *asyncio.TaskGroup
		want := func(text string) {
			t.Helper()
			if got := fmt.Sprint(group); got != text {
				t.Errorf("the group is %s, want %s", got, text)
			}
		}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			group = g
			want("<TaskGroup>")
			for i := range 3 {
				g.Go(groupCleanup(time.Duration(i)*time.Second, nil))
			}
			want("<TaskGroup tasks=3>")
			g.Go(groupError(time.Second, errBoom))
			_ = sleepLong(ctx)
			want("<TaskGroup tasks=3 errors=1 cancelling>")
			_ = asyncio.Sleep(context.WithoutCancel(ctx), 1500*time.Millisecond)
			want("<TaskGroup tasks=1 errors=1 cancelling>")
			return nil
		})
		want("<TaskGroup errors=1>") // it is not cancelling any more
		return errors.Join(errors.Unwrap(err), asyncio.Yield(ctx))
	})
}

func TestGroup_IsWhatItsTaskWaitsFor(t *testing.T) {
	run(t, func(ctx context.Context) error {
		group := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "parent"}, asyncio.Void(func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				for _, name := range []string{"yolo", "second"} {
					asyncio.SpawnWith(ctx, asyncio.TaskOptions{Group: g, Name: name}, asyncio.Void(sleeping(time.Second)))
				}
				return nil
			})
		}))
		turns(t, ctx, 2)
		if got := group.WaitingFor(); got != "<TaskGroup tasks=2>" {
			t.Errorf("it waits for %s", got)
		}
		l, err := asyncio.RunningLoop(ctx)
		tree := l.Tasks().String()
		for _, line := range []string{"parent (", "waits for <TaskGroup tasks=2>, held by yolo, second", "├── yolo (", "└── second ("} {
			if !strings.Contains(tree, line) {
				t.Errorf("the tree lacks %q:\n%s", line, tree)
			}
		}
		_, groupErr := group.Await(ctx)
		return errors.Join(err, groupErr)
	})
}
