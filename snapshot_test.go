package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// onQuietLoop is onLoop without debug mode.
//
//go:noinline
func onQuietLoop(t *testing.T, main func(ctx context.Context, l *asyncio.Loop) error) {
	t.Helper()
	calmly(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		return errors.Join(err, main(ctx, l))
	})
}

func wantTree(t *testing.T, tree *asyncio.TaskTree, lines ...string) {
	t.Helper()
	if got, want := tree.String(), strings.Join(lines, "\n"); got != want {
		t.Errorf("the tasks are\n%s\nwant\n%s", got, want)
	}
}

// Coroutines with names for trees.

func treeNap(ctx context.Context) error    { return asyncio.Sleep(ctx, time.Hour) }
func treeNone(context.Context) error       { return nil }
func treeServe(ctx context.Context) error  { return treeGroup(ctx, treeNap, treeNap) }
func treeBranch(ctx context.Context) error { asyncio.Go(ctx, treeNap); return treeNap(ctx) }
func treeLeave(ctx context.Context) error {
	asyncio.Go(ctx, treeBranch)
	return asyncio.Sleep(ctx, time.Second)
}

func treeGroup(ctx context.Context, fs ...func(context.Context) error) error {
	return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
		for _, f := range fs {
			g.Go(f)
		}
		return nil
	})
}

const treeMain = "Task-1 (asyncio_test.onQuietLoop.func1) is running"

func TestTasks_NestByScope(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		wantTree(t, l.Tasks(), treeMain)
		asyncio.Go(ctx, treeBranch)
		asyncio.Go(ctx, treeServe)
		wantTree(t, l.Tasks(), treeMain,
			"├── Task-1-1 (asyncio_test.treeBranch) is ready",
			"└── Task-1-2 (asyncio_test.treeServe) is ready")
		turns(t, ctx, 2)
		asyncio.Go(ctx, treeNone)
		wantTree(t, l.Tasks(), treeMain,
			"├── Task-1-1 (asyncio_test.treeBranch) waits for Sleep",
			"│   └── Task-1-1-1 (asyncio_test.treeNap) waits for Sleep",
			"├── Task-1-2 (asyncio_test.treeServe) waits for <TaskGroup tasks=2>, held by Task-1-2-1, Task-1-2-2",
			"│   ├── Task-1-2-1 (asyncio_test.treeNap) waits for Sleep",
			"│   └── Task-1-2-2 (asyncio_test.treeNap) waits for Sleep",
			"└── Task-1-3 (asyncio_test.treeNone) is ready")
		return nil
	})
}

// The scope counts, not who has called Go: a task that was given another's ctx
// stands below that one.
func TestTasks_StandBelowTheScopeTheyWereGiven(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		var inner context.Context
		asyncio.Go(ctx, func(ctx context.Context) error { inner = ctx; return sleepLong(ctx) })
		turns(t, ctx, 1)
		sub, cancel := asyncio.WithCancel(inner)
		defer cancel()
		asyncio.Go(context.WithValue(sub, key{}, 1), treeNap)
		asyncio.Go(inner, treeNap)
		wantTree(t, l.Tasks(), treeMain,
			"└── Task-1-1 (asyncio_test.TestTasks_StandBelowTheScopeTheyWereGiven.func1.1) waits for Sleep",
			"    ├── Task-1-2 (asyncio_test.treeNap) is ready",
			"    └── Task-1-3 (asyncio_test.treeNap) is ready")
		return nil
	})
}

func TestTasks_BracketsAreNoNodes(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		return asyncio.Timeout(ctx, time.Minute, func(ctx context.Context) error {
			sub, cancel := asyncio.WithTimeout(ctx, time.Second)
			defer cancel()
			asyncio.Go(sub, treeNap)
			_, err := asyncio.Shield(ctx, asyncio.Void(func(ctx context.Context) error { asyncio.Go(ctx, treeNap); return nil }))
			asyncio.Go(ctx, treeNap)
			turns(t, ctx, 2)
			wantTree(t, l.Tasks(), treeMain,
				"├── Task-1-1 (asyncio_test.treeNap) waits for Sleep",
				"└── Task-1-3 (asyncio_test.treeNap) waits for Sleep") // what was left in the Shield is cancelled, and gone
			return err
		})
	})
}

func TestTasks_ChildrenMoveUpWhenTheirParentEnds(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		asyncio.Go(ctx, treeLeave)
		asyncio.Go(ctx, treeNap)
		turns(t, ctx, 3)
		before := l.Tasks()
		_ = asyncio.Sleep(ctx, 2*time.Second)
		wantTree(t, l.Tasks(), treeMain,
			"├── Task-1-2 (asyncio_test.treeNap) waits for Sleep",
			"└── Task-1-1-1 (asyncio_test.treeBranch) waits for Sleep",
			"    └── Task-1-1-1-1 (asyncio_test.treeNap) waits for Sleep")
		wantTree(t, before, treeMain, // a snapshot stays what it was
			"├── Task-1-1 (asyncio_test.treeLeave) waits for Sleep",
			"│   └── Task-1-1-1 (asyncio_test.treeBranch) waits for Sleep",
			"│       └── Task-1-1-1-1 (asyncio_test.treeNap) waits for Sleep",
			"└── Task-1-2 (asyncio_test.treeNap) waits for Sleep")
		return nil
	})
}

func TestTasks_DetachedStandBesideMain(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		asyncio.Go(context.WithoutCancel(ctx), treeBranch)
		l.CallSoon(func() { asyncio.Go(context.WithoutCancel(ctx), treeNone) })
		turns(t, ctx, 1)
		turns(t, ctx, 1)
		wantTree(t, l.Tasks(), treeMain,
			"Task-1-1 (asyncio_test.treeBranch) waits for Sleep",
			"└── Task-1-1-1 (asyncio_test.treeNap) waits for Sleep")
		tree := l.Tasks()
		if tree.Task != nil || len(tree.Children) != 2 || tree.Children[1].Task.Name() != "Task-1-1" {
			t.Errorf("the root is %v with %d children", tree.Task, len(tree.Children))
		}
		tree.Children[1].Task.Cancel(nil)
		return nil
	})
}

func TestTasks_HeldBackAndInManyStates(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(2)
			g.Go(treeNap)
			g.Go(treeNap)
			g.Go(treeNap)
			turns(t, ctx, 1)
			eager := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "eager", Eager: true}, func(ctx context.Context) (int, error) {
				wantTree(t, l.Tasks(), treeMain,
					"├── Task-1-1 (asyncio_test.treeNap) waits for Sleep",
					"├── Task-1-2 (asyncio_test.treeNap) waits for Sleep",
					"├── Task-1-3 (asyncio_test.treeNap) is created",
					"└── eager (asyncio_test.TestTasks_HeldBackAndInManyStates.func1.1.1) is running")
				return 1, nil
			})
			if !eager.Done() || l.Tasks().Len() != 4 {
				t.Errorf("the eager task is %v, and still there: %v", eager, l.Tasks())
			}
			g.Cancel()
			return nil
		})
	})
}

func TestTasks_WhoHoldsWhat(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		var lock asyncio.Lock
		sem := asyncio.NewSemaphore(1)
		_, _ = lock.Acquire(ctx), sem.Acquire(ctx)
		defer lock.Release()
		nap := asyncio.Go(ctx, treeNap)
		waits := []func(ctx context.Context) error{
			func(ctx context.Context) error { return lock.Do(ctx, nothing) },
			sem.Acquire,
			func(ctx context.Context) error { _, err := nap.Await(ctx); return err },
			func(ctx context.Context) error {
				_, _, err := asyncio.Wait(ctx, asyncio.FirstDone, nap, nap)
				return err
			},
			func(ctx context.Context) error { _, err := asyncio.Gather(ctx, nap.Await); return err },
			treeNap,
		}
		tasks := make([]asyncio.AnyTask, len(waits))
		for i, f := range waits {
			tasks[i] = asyncio.Go(ctx, f)
		}
		turns(t, ctx, 2)
		main := asyncio.CurrentTask(ctx)
		tree := l.Tasks()
		for i, want := range [][]asyncio.AnyTask{{main}, {main}, {nap}, {nap, nap}, nil, nil} {
			node := tree.Children[0].Children[i+1]
			if i == 4 {
				want = []asyncio.AnyTask{node.Children[0].Task} // the task that was gathered
			}
			if node.Task != tasks[i] || !slices.Equal(node.HeldBy, want) {
				t.Errorf("%v is held by %v, want %v", node.TaskInfo, node.HeldBy, want)
			}
		}
		return nil
	})
}

func TestTasks_SayHowLongTheyWait(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		asyncio.Go(ctx, treeNap)
		_ = asyncio.Sleep(ctx, time.Minute)
		asyncio.Go(ctx, treeNap)
		asyncio.Go(ctx, func(ctx context.Context) error {
			_ = asyncio.Sleep(ctx, time.Second)
			return asyncio.Sleep(ctx, time.Hour)
		})
		_ = asyncio.Sleep(ctx, 5*time.Second)
		asyncio.Go(ctx, treeNap)
		var got []time.Duration
		for _, n := range l.Tasks().Children[0].Children {
			got = append(got, n.Waiting)
		}
		if want := []time.Duration{65 * time.Second, 5 * time.Second, 4 * time.Second, 0}; !slices.Equal(got, want) {
			t.Errorf("they have waited %v, want %v", got, want)
		}
		return nil
	})
}

// Who was notified waits for the lock from then on.
func TestTasks_SayHowLongTheyWaitForTheLockAfterNotify(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		var c asyncio.Cond
		asyncio.Go(ctx, func(ctx context.Context) error { return c.Do(ctx, c.Wait) })
		_ = asyncio.Sleep(ctx, time.Minute)
		return c.Do(ctx, func(ctx context.Context) error {
			c.Notify(1)
			_ = asyncio.Sleep(ctx, time.Second)
			if n := l.Tasks().Children[0].Children[0]; n.Waiting != time.Second || !strings.Contains(n.WaitingFor, "Lock") {
				t.Errorf("%v for %v, want 1s", n, n.Waiting)
			}
			return nil
		})
	})
}

func TestTasks_AllAndLen(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		asyncio.Go(ctx, treeBranch)
		asyncio.Go(ctx, treeServe)
		turns(t, ctx, 2)
		tree := l.Tasks()
		var names []string
		for task := range tree.All() {
			names = append(names, task.Name())
		}
		want := []string{"Task-1", "Task-1-1", "Task-1-1-1", "Task-1-2", "Task-1-2-1", "Task-1-2-2"}
		if !slices.Equal(names, want) || tree.Len() != len(want) {
			t.Errorf("All = %v, Len = %d, want %v", names, tree.Len(), want)
		}
		for range tree.All() {
			break // leaves at once, wherever it stands
		}
		for i := range names {
			n := 0
			for range tree.All() {
				if n++; n == i+1 {
					break
				}
			}
			if n != i+1 {
				t.Errorf("left after %d, want %d", n, i+1)
			}
		}
		branch := tree.Children[0].Children[0]
		if branch.Len() != 2 || branch.String() != "Task-1-1 (asyncio_test.treeBranch) waits for Sleep\n"+
			"└── Task-1-1-1 (asyncio_test.treeNap) waits for Sleep" {
			t.Errorf("a branch of %d is\n%v", branch.Len(), branch)
		}
		return nil
	})
}

func TestTasks_FromACallbackAndAtRest(t *testing.T) {
	noLeaks(t)
	l := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}, Debug: asyncio.DebugOff})
	if tree := l.Tasks(); tree.Len() != 0 || tree.String() != "" || tree.Children != nil {
		t.Errorf("a new loop has %d tasks: %q", tree.Len(), tree)
	}
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		asyncio.Go(ctx, treeBranch)
		turns(t, ctx, 2)
		l.CallSoon(func() {
			wantTree(t, l.Tasks(), "Task-1 (asyncio_test.TestTasks_FromACallbackAndAtRest.func1) is ready",
				"└── Task-1-1 (asyncio_test.treeBranch) waits for Sleep",
				"    └── Task-1-1-1 (asyncio_test.treeNap) waits for Sleep")
		})
		return 0, asyncio.Yield(ctx)
	})
	// Main has ended; its child stands below the root now.
	tree := l.Tasks()
	wantTree(t, tree, "Task-1-1 (asyncio_test.treeBranch) waits for Sleep",
		"└── Task-1-1-1 (asyncio_test.treeNap) waits for Sleep")
	if err := errors.Join(err, l.Close()); err != nil {
		t.Error(err)
	}
	if tree.Len() != 2 || l.Tasks().Len() != 0 {
		t.Errorf("the snapshot has %d tasks, the closed loop %d, want 2 and 0", tree.Len(), l.Tasks().Len())
	}
}

func TestTasks_OfAnotherGoroutine(t *testing.T) {
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		got, err := asyncio.Blocking(ctx, func(context.Context) (string, error) { return panicOf(func() { l.Tasks() }), nil })
		if want := "asyncio: Loop.Tasks: called from a goroutine that does not run " + loopName(t, l) +
			"; from other goroutines use Loop.CallSoon or Submit"; got != want {
			t.Errorf("panic is %s\nwant     %s", got, want)
		}
		return err
	})
}

func TestTasks_TenThousand(t *testing.T) {
	const wide, deep = 100, 100
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		var descend func(n int) func(ctx context.Context) error
		descend = func(n int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				if n > 1 {
					asyncio.Go(ctx, descend(n-1))
				}
				return sleepLong(ctx)
			}
		}
		for range wide {
			asyncio.Go(ctx, descend(deep))
		}
		turns(t, ctx, deep)
		tree := l.Tasks()
		lines := strings.Split(tree.String(), "\n")
		if tree.Len() != wide*deep+1 || len(lines) != wide*deep+1 {
			t.Fatalf("%d tasks on %d lines, want %d", tree.Len(), len(lines), wide*deep+1)
		}
		for i, n := range tree.Children[0].Children {
			for depth := 0; depth < deep; depth++ {
				if want := fmt.Sprintf("Task-1-%d", i+1); depth < 10 && n.Task.Name() != want+strings.Repeat("-1", depth) {
					t.Fatalf("at %d, %d stands %s", i, depth, n.Task.Name())
				}
				if len(n.Children) != 1 && depth < deep-1 {
					t.Fatalf("%s has %d children", n.Task.Name(), len(n.Children))
				}
				if depth < deep-1 {
					n = n.Children[0]
				}
			}
		}
		return nil
	})
}
