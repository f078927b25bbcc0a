package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

var graphPlace = regexp.MustCompile(`[^ ]+/([a-z_]+_test\.go):\d+ in asyncio_test\.`)

// graphText is a graph without folders and line numbers, from Call stack on.
func graphText(g *asyncio.CallGraph) string { return graphPlace.ReplaceAllString(g.String(), "$1 ") }

func wantGraph(t *testing.T, g *asyncio.CallGraph, lines ...string) {
	t.Helper()
	if got, want := graphText(g), strings.Join(lines, "\n"); got != want {
		t.Errorf("the graph is\n%s\nwant\n%s", got, want)
	}
}

// stackOf are the functions of a graph's stack, innermost first.
func stackOf(g *asyncio.CallGraph) string {
	var names []string
	for _, f := range g.Stack {
		names = append(names, f.Function[strings.LastIndexByte(f.Function, '.')+1:])
	}
	return strings.Join(names, " ")
}

// Coroutines with names, and frames that stay, for stacks.

//go:noinline
func graphLeaf(ctx context.Context) error { err := treeNap(ctx); return err }

//go:noinline
func graphMid(ctx context.Context) error { err := graphLeaf(ctx); return err }

//go:noinline
func graphRoot(ctx context.Context) error { err := graphMid(ctx); return err }

//go:noinline
func graphSelf(ctx context.Context) *asyncio.CallGraph {
	g := asyncio.CurrentTask(ctx).CallGraph()
	return g
}

func TestCallGraph_OfTheRunningTask(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		var g *asyncio.CallGraph
		task := asyncio.Go(ctx, func(ctx context.Context) error { g = graphSelf(ctx); return nil })
		_, err := task.Await(ctx)
		wantGraph(t, g,
			"* Task-1-1 (asyncio_test.TestCallGraph_OfTheRunningTask.func1.1) is running",
			"  + Call stack:",
			"  |   callgraph_test.go graphSelf",
			"  |   callgraph_test.go TestCallGraph_OfTheRunningTask.func1.1",
			"  + Awaited by:",
			"    * Task-1 (asyncio_test.onQuietLoop.func1) waits for <Task pending name='Task-1-1' "+
				"coro=asyncio_test.TestCallGraph_OfTheRunningTask.func1.1()>, held by Task-1-1",
			"      + Call stack:",
			"      |   callgraph_test.go TestCallGraph_OfTheRunningTask.func1",
			"      |   snapshot_test.go onQuietLoop.func1")
		return err
	})
}

func TestCallGraph_OfAWaitingTask(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		task := asyncio.Go(ctx, graphRoot)
		_ = asyncio.Sleep(ctx, 3*time.Second)
		g := task.CallGraph()
		wantGraph(t, g,
			"* Task-1-1 (asyncio_test.graphRoot) waits for Sleep",
			"  + Call stack:",
			"  |   snapshot_test.go treeNap",
			"  |   callgraph_test.go graphLeaf",
			"  |   callgraph_test.go graphMid",
			"  |   callgraph_test.go graphRoot")
		if g.Task != asyncio.AnyTask(task) || g.Waiting != 3*time.Second || g.State != asyncio.Waiting {
			t.Errorf("the graph is of %v, which has waited %v", g.Task, g.Waiting)
		}
		for _, f := range g.Stack {
			if !strings.HasSuffix(f.File, "_test.go") || f.Line == 0 || f.PC == 0 {
				t.Errorf("frame %+v has no place", f)
			}
		}
		l.CallSoon(func() { // and from a callback
			if got := stackOf(task.CallGraph()); got != "treeNap graphLeaf graphMid graphRoot" {
				t.Errorf("the stack is %s", got)
			}
		})
		return asyncio.Yield(ctx)
	})
}

func TestCallGraph_OfTasksInOtherStates(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		unstarted := asyncio.Go(ctx, graphRoot)
		wantGraph(t, unstarted.CallGraph(), "* Task-1-1 (asyncio_test.graphRoot) is ready")

		done := asyncio.Spawn(ctx, taskAnswer)
		failed := asyncio.Spawn(ctx, taskFail)
		gone := asyncio.Spawn(ctx, taskNap)
		gone.Cancel(nil)
		_, _, err := asyncio.Wait(ctx, asyncio.AllDone, done, failed, gone)
		_, _ = failed.Result()
		wantGraph(t, done.CallGraph(), "* Task-1-2 (asyncio_test.taskAnswer) is succeeded")
		wantGraph(t, failed.CallGraph(), "* Task-1-3 (asyncio_test.taskFail) is failed")
		wantGraph(t, gone.CallGraph(), "* Task-1-4 (asyncio_test.taskNap) is cancelled")

		f := asyncio.NewFuture[int](ctx)
		woken := asyncio.Go(ctx, func(ctx context.Context) error { _, err := f.Await(ctx); return err })
		yields := asyncio.Go(ctx, func(ctx context.Context) error { _ = asyncio.Yield(ctx); return asyncio.Yield(ctx) })
		turns(t, ctx, 1)
		f.SetResult(1)
		for _, task := range []asyncio.AnyTask{woken, yields} { // ready, in the middle of an await
			g := task.CallGraph()
			if len(g.Stack) != 1 || g.State != asyncio.Ready || g.WaitingFor != "" {
				t.Errorf("the graph is\n%v", g)
			}
		}
		return err
	})
}

func TestCallGraph_OfHeldBackTasks(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(1)
			g.Go(treeNone)
			held := g.Go(treeNone)
			wantGraph(t, held.CallGraph(), "* Task-1-2 (asyncio_test.treeNone) is created")
			return nil
		})
	})
}

// Who starts a task eagerly runs, but somewhere below it: its stack cannot be
// told.
func TestCallGraph_OfEagerTasks(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		main := asyncio.CurrentTask(ctx)
		eager := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, func(ctx context.Context) (int, error) {
			if got := stackOf(graphSelf(ctx)); got != "graphSelf 1" {
				t.Errorf("the stack of the eager task is %s", got)
			}
			if g := main.CallGraph(); g.State != asyncio.Running || g.Stack != nil {
				t.Errorf("the graph of the task that starts it is\n%v", g)
			}
			return 1, graphRoot(ctx)
		})
		if got := stackOf(eager.CallGraph()); got != "treeNap graphLeaf graphMid graphRoot 1" {
			t.Errorf("the stack of the eager task that waits is %s", got)
		}
		if got := stackOf(graphSelf(ctx)); got != "graphSelf func1 func1" {
			t.Errorf("the stack of the task that has started it is %s", got)
		}
		return nil
	})
}

func TestCallGraph_OfGenerators(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		var body asyncio.AnyTask
		gen := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			body = asyncio.CurrentTask(ctx)
			yield(1)
			return graphRoot(ctx)
		})
		if _, ok, err := gen.Next(ctx); !ok || err != nil {
			t.Errorf("Next = %v, %v", ok, err)
		}
		wantGraph(t, body.CallGraph(),
			"* Generator-1-1 (asyncio_test.TestCallGraph_OfGenerators.func1.1) waits for yield",
			"  + Call stack:",
			"  |   callgraph_test.go TestCallGraph_OfGenerators.func1.1")
		consumer := startAs(ctx, "consumer", func(ctx context.Context) error { _, _, err := gen.Next(ctx); return err })
		turns(t, ctx, 2)
		g := body.CallGraph()
		if len(g.AwaitedBy) != 1 || g.AwaitedBy[0].Task != asyncio.AnyTask(consumer) ||
			stackOf(g) != "treeNap graphLeaf graphMid graphRoot 1" {
			t.Errorf("while a task waits in Next the graph is\n%v", g)
		}
		up := g.AwaitedBy[0]
		if want := "<Generator Generator-1-1 asyncio_test.TestCallGraph_OfGenerators.func1.1() waiting>"; up.WaitingFor != want ||
			len(up.HeldBy) != 1 || up.HeldBy[0] != body {
			t.Errorf("the consumer waits for %s, held by %v", up.WaitingFor, up.HeldBy)
		}
		consumer.Cancel(nil)
		_, _ = consumer.Await(ctx)
		if g := body.CallGraph(); len(g.AwaitedBy) != 0 {
			t.Errorf("when nobody waits the graph is\n%v", g)
		}
		return gen.Close(ctx)
	})
}

// Who waits for a task, through each of the ways there are.
func TestCallGraph_AwaitedBy(t *testing.T) {
	for name, wait := range map[string]func(ctx context.Context, l *asyncio.Lock, self *asyncio.Task[int]) error{
		"Await": func(ctx context.Context, _ *asyncio.Lock, task *asyncio.Task[int]) error {
			_, err := task.Await(ctx)
			return err
		},
		"Wait AllDone": func(ctx context.Context, _ *asyncio.Lock, task *asyncio.Task[int]) error {
			_, _, err := asyncio.Wait(ctx, asyncio.AllDone, task)
			return err
		},
		"Wait FirstDone": func(ctx context.Context, _ *asyncio.Lock, task *asyncio.Task[int]) error {
			_, _, err := asyncio.Wait(ctx, asyncio.FirstDone, task, asyncio.NewFuture[int](ctx))
			return err
		},
		"Lock": func(ctx context.Context, l *asyncio.Lock, _ *asyncio.Task[int]) error { return l.Do(ctx, nothing) },
		"a ctx": func(ctx context.Context, l *asyncio.Lock, _ *asyncio.Task[int]) error {
			return l.Do(context.WithoutCancel(ctx), nothing)
		},
		"Timeout": func(ctx context.Context, _ *asyncio.Lock, task *asyncio.Task[int]) error {
			_, err := asyncio.WaitFor(ctx, time.Hour, task.Await)
			return err
		},
	} {
		onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
			var l asyncio.Lock
			task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) {
				return 1, l.Do(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Second) })
			})
			a := startAs(ctx, "a", func(ctx context.Context) error { return wait(ctx, &l, task) })
			turns(t, ctx, 2)
			g := task.CallGraph()
			if len(g.AwaitedBy) != 1 || g.AwaitedBy[0].Task != asyncio.AnyTask(a) || len(g.AwaitedBy[0].AwaitedBy) != 0 {
				t.Errorf("%s: the graph is\n%v", name, g)
			}
			a.Cancel(nil)
			_, _ = a.Await(ctx)
			if g := task.CallGraph(); len(g.AwaitedBy) != 0 {
				t.Errorf("%s: when the wait was cancelled the graph is\n%v", name, g)
			}
			_, err := task.Await(ctx)
			return err
		})
	}
}

func TestCallGraph_AwaitedByJoins(t *testing.T) {
	for fn, join := range map[string]func(ctx context.Context, f func(context.Context) (int, error)) error{
		"TaskGroup": func(ctx context.Context, f func(context.Context) (int, error)) error {
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error { asyncio.SpawnIn(g, f); return nil })
		},
		"Gather": func(ctx context.Context, f func(context.Context) (int, error)) error {
			_, err := asyncio.Gather(ctx, f)
			return err
		},
		"First": func(ctx context.Context, f func(context.Context) (int, error)) error {
			_, err := asyncio.First(ctx, f)
			return err
		},
	} {
		onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
			return join(ctx, func(ctx context.Context) (int, error) {
				return 0, join(ctx, func(ctx context.Context) (int, error) {
					g := graphSelf(ctx)
					got := g.Task.Name()
					for len(g.AwaitedBy) == 1 {
						g = g.AwaitedBy[0]
						got += fmt.Sprintf(" %s(%s)", g.Task.Name(), g.WaitingFor)
					}
					if want := fmt.Sprintf("Task-1-1-1 Task-1-1(<%s tasks=1>) Task-1(<%[1]s tasks=1>)", fn); got != want {
						t.Errorf("awaited by %s, want %s", got, want)
					}
					return 0, nil
				})
			})
		})
	}
}

// Before the group is joined nobody waits for its tasks.
func TestCallGraph_AGroupThatIsNotJoinedAwaitsNobody(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			task := g.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Second) })
			turns(t, ctx, 1)
			if graph := task.CallGraph(); len(graph.AwaitedBy) != 0 {
				t.Errorf("the graph is\n%v", graph)
			}
			return nil
		})
	})
}

// Whoever is done is awaited by nobody, though the group that it was in is joined.
func TestCallGraph_OfADoneChildOfAGroup(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		var done *asyncio.Task[struct{}]
		err := asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			done = g.Go(treeNone)
			g.Go(func(ctx context.Context) error {
				turns(t, ctx, 2)
				wantGraph(t, done.CallGraph(), "* Task-1-1 (asyncio_test.treeNone) is succeeded")
				return nil
			})
			return nil
		})
		wantGraph(t, done.CallGraph(), "* Task-1-1 (asyncio_test.treeNone) is succeeded")
		return err
	})
}

// A task that several others wait for stands below each of them; the second time
// without what follows.
func TestCallGraph_RepeatedTasksAreCut(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		a := asyncio.Spawn(ctx, later(time.Second, 1, nil))
		b, c := asyncio.Spawn(ctx, a.Await), asyncio.Spawn(ctx, a.Await)
		d := startAs(ctx, "d", func(ctx context.Context) error {
			_, _, err := asyncio.Wait(ctx, asyncio.AllDone, b, c)
			return err
		})
		e := startAs(ctx, "e", func(ctx context.Context) error { _, err := d.Await(ctx); return err })
		turns(t, ctx, 2)
		g := a.CallGraph()
		if len(g.AwaitedBy) != 2 || g.AwaitedBy[0].Task != asyncio.AnyTask(b) || g.AwaitedBy[1].Task != asyncio.AnyTask(c) {
			t.Fatalf("the graph is\n%v", g)
		}
		first, second := g.AwaitedBy[0].AwaitedBy[0], g.AwaitedBy[1].AwaitedBy[0]
		if first.Task != asyncio.AnyTask(d) || len(first.Stack) == 0 || len(first.AwaitedBy) != 1 || first.AwaitedBy[0].Task != asyncio.AnyTask(e) {
			t.Errorf("the first time it is\n%v", first)
		}
		if second.Task != asyncio.AnyTask(d) || second.WaitingFor != "Wait for 2 of 2" || second.Stack != nil || second.AwaitedBy != nil {
			t.Errorf("the second time it is\n%v", second)
		}
		if n := strings.Count(g.String(), "* d ("); n != 2 {
			t.Errorf("it stands %d times in\n%v", n, g)
		}
		again := a.CallGraph()
		if graphText(again) != graphText(g) {
			t.Errorf("asked again the graph is\n%v", again)
		}
		_, err := e.Await(ctx)
		return err
	})
}

func TestCallGraph_Misuse(t *testing.T) {
	noLeaks(t)
	l := newLoop(t)
	task, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (*asyncio.Task[struct{}], error) {
		task := asyncio.Go(context.WithoutCancel(ctx), treeNap)
		turns(t, ctx, 1)
		got, err := asyncio.Blocking(ctx, func(context.Context) (string, error) { return panicOf(func() { task.CallGraph() }), nil })
		if want := "asyncio: Task.CallGraph: called from a goroutine that does not run " + loopName(t, l) +
			"; from other goroutines use Loop.CallSoon or Submit"; got != want {
			t.Errorf("panic is %s\nwant     %s", got, want)
		}
		asyncio.NoAwait(ctx, func() { // it is no await
			if got := stackOf(task.CallGraph()); got != "treeNap" {
				t.Errorf("in NoAwait the stack is %s", got)
			}
			if got := stackOf(graphSelf(ctx)); !strings.HasPrefix(got, "graphSelf ") {
				t.Errorf("in NoAwait the own stack is %s", got)
			}
		})
		return task, errors.Join(err, asyncio.Yield(ctx))
	})
	if err != nil {
		t.Fatal(err)
	}
	wantPanic(t, "asyncio: Task.CallGraph: "+loopName(t, l)+" is not running; run it with RunUntilComplete or RunForever",
		func() { task.CallGraph() })
}
