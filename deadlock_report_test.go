package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
)

var reportedPlace = regexp.MustCompile(`, at [^ ]+/[a-z_]+_test\.go:\d+`)

// deadlocked runs main, which must end in a deadlock, and returns the lines of the
// report: those of the tasks, without the places where they wait.
func deadlocked(t *testing.T, main func(ctx context.Context) error) []string {
	t.Helper()
	noLeaks(t)
	b := quietBench()
	if err := b.Run(context.Background(), main); !errors.Is(err, asyncio.ErrDeadlock) {
		t.Errorf("Run = %v, want ErrDeadlock", err)
	}
	const head = "ERROR asyncio: Deadlock: every task waits and nothing can wake them\n"
	const tail = " exception=deadlock: every task waits and nothing can wake them"
	for _, record := range b.log.Lines() {
		text, found := strings.CutPrefix(record, head)
		if found {
			return strings.Split(strings.TrimSuffix(reportedPlace.ReplaceAllString(text, ""), tail), "\n")
		}
	}
	t.Fatalf("there is no report:\n%s", b.log.Text())
	return nil
}

// The functions of tasks, whose names depend on what the compiler inlines.
var (
	reportedFunc = regexp.MustCompile(` \([^)\s]+\) `)
	reportedCoro = regexp.MustCompile(` (coro=)?[a-z]\S+\(\)`)
)

// reports checks the report of main, less the names of functions.
func reports(t *testing.T, main func(ctx context.Context) error, want ...string) {
	t.Helper()
	got := deadlocked(t, main)
	for i, line := range got {
		got[i] = reportedCoro.ReplaceAllString(reportedFunc.ReplaceAllString(strings.TrimSpace(line), " "), "")
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the report is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// standing is a function that waits for what never comes.
func standing(ctx context.Context) (int, error) { return asyncio.NewFuture[int](ctx).Await(ctx) }

// What each primitive looks like in the report, and who it says holds it.
func TestDeadlockReport_NamesWhatEachTaskWaitsFor(t *testing.T) {
	for want, wait := range map[string]func(ctx context.Context) error{
		"<Future pending name='Future-1'>": func(ctx context.Context) error { _, err := standing(ctx); return err },
		"<Event-1 unset waiters=1>":        func(ctx context.Context) error { return (&asyncio.Event{}).Wait(ctx) },
		"<Barrier-1 parties=2 waiters=1>":  func(ctx context.Context) error { _, err := asyncio.NewBarrier(2).Wait(ctx); return err },
		"<Cond-1 <Lock-2 unlocked> waiters=1>": func(ctx context.Context) error {
			c := &asyncio.Cond{}
			return c.Do(ctx, c.Wait)
		},
		"get of <Queue-1 maxsize=0 len=0 getters=1>": func(ctx context.Context) error {
			_, err := asyncio.NewQueue[int](0).Get(ctx)
			return err
		},
		"put of <Queue-1 maxsize=1 len=1 putters=1 unfinished=1>": func(ctx context.Context) error {
			q := asyncio.NewQueue[int](1)
			return errors.Join(q.Put(ctx, 1), q.Put(ctx, 2))
		},
		"join of <LifoQueue-1 maxsize=0 len=1 unfinished=1>": func(ctx context.Context) error {
			q := asyncio.NewLifoQueue[int](0)
			return errors.Join(q.TryPut(1), q.Join(ctx))
		},
		"Wait for 1 of 1": func(ctx context.Context) error {
			_, _, err := asyncio.Wait(ctx, asyncio.FirstDone, asyncio.NewFuture[int](ctx))
			return err
		},
		"<Semaphore-1 free=0/2 waiters=1>, held by Task-1, Task-1": func(ctx context.Context) error {
			s := asyncio.NewSemaphore(2)
			return errors.Join(s.Acquire(ctx), s.Acquire(ctx), s.Acquire(ctx))
		},
	} {
		got := deadlocked(t, wait)
		if len(got) == 0 || !strings.HasSuffix(got[0], ") waits for "+want) {
			t.Errorf("the report is %q\nwant …) waits for %s", got, want)
		}
	}
}

func TestDeadlockReport_Joins(t *testing.T) {
	for fn, join := range map[string]func(ctx context.Context) error{
		"TaskGroup": func(ctx context.Context) error {
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				asyncio.SpawnIn(g, standing)
				asyncio.SpawnIn(g, standing)
				return nil
			})
		},
		"Gather": func(ctx context.Context) error { _, err := asyncio.Gather(ctx, standing, standing); return err },
		"Settle": func(ctx context.Context) error { return asyncio.Settle(ctx, standing, standing)[0].Err },
		"First":  func(ctx context.Context) error { _, err := asyncio.First(ctx, standing, standing); return err },
	} {
		reports(t, join,
			"Task-1 waits for <"+fn+" tasks=2>, held by Task-1-1, Task-1-2",
			"Task-1-1 waits for <Future pending name='Future-1'>",
			"Task-1-2 waits for <Future pending name='Future-2'>")
	}
}

func TestDeadlockReport_HeldBackTasks(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
			g.SetLimit(1)
			asyncio.SpawnIn(g, standing)
			asyncio.SpawnIn(g, standing)
			return nil
		})
	},
		"Task-1 waits for <TaskGroup tasks=2>, held by Task-1-1, Task-1-2",
		"Task-1-1 waits for <Future pending name='Future-1'>",
		"Task-1-2 is created")
}

func TestDeadlockReport_ManyHoldersAreCounted(t *testing.T) {
	got := deadlocked(t, func(ctx context.Context) error {
		_, err := asyncio.Gather(ctx, standing, standing, standing, standing, standing, standing, standing)
		return err
	})
	if want := "held by Task-1-1, Task-1-2, Task-1-3, Task-1-4, Task-1-5 and 2 more"; !strings.HasSuffix(got[0], want) || len(got) != 8 {
		t.Errorf("the report is\n%s\nwant the first line to end with %s", strings.Join(got, "\n"), want)
	}
}

func TestDeadlockReport_ManyTasksAreCut(t *testing.T) {
	got := deadlocked(t, func(ctx context.Context) error {
		for range 150 {
			asyncio.Spawn(ctx, standing)
		}
		_, err := standing(ctx)
		return err
	})
	if len(got) != 101 || got[100] != "  and more" {
		t.Errorf("the report has %d lines and ends with %q, want 100 and the word", len(got), got[len(got)-1])
	}
}

func TestDeadlockReport_Locks(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		var l asyncio.Lock
		for _, name := range []string{"a", "b", "c"} {
			startAs(ctx, name, func(ctx context.Context) error {
				return l.Do(ctx, func(ctx context.Context) error { _, err := standing(ctx); return err })
			})
		}
		_, err := standing(ctx)
		return err
	},
		"Task-1 waits for <Future pending name='Future-1'>",
		"a waits for <Future pending name='Future-2'>",
		"b waits for <Lock-1 locked by a waiters=2>, held by a",
		"c waits for <Lock-1 locked by a waiters=2>, held by a")
}

// Nobody can prove who will release a permit: the circle is no reason to fail a
// wait, but the report names it.
func TestDeadlockReport_CircleOfPermits(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		s1, s2 := asyncio.NewSemaphore(1), asyncio.NewSemaphore(1)
		start := func(name string, first, second *asyncio.Semaphore) *asyncio.Task[struct{}] {
			return startAs(ctx, name, func(ctx context.Context) error {
				return first.Do(ctx, func(ctx context.Context) error {
					_ = asyncio.Yield(ctx)
					return second.Do(ctx, nothing)
				})
			})
		}
		start("a", s1, s2)
		_, err := start("b", s2, s1).Await(ctx)
		return err
	},
		"Task-1 waits for <Task pending name='b'>, held by b",
		"a waits for <Semaphore-1 free=0/1 waiters=1>, held by b",
		"b waits for <Semaphore-2 free=0/1 waiters=1>, held by a",
		"in a circle: a → b → a")
}

// Permits are told by who took them, also after one was passed on.
func TestDeadlockReport_PermitsThatWerePassedOn(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		s := asyncio.NewSemaphore(2)
		for i := range 4 {
			startAs(ctx, fmt.Sprint("t", i), func(ctx context.Context) error {
				if err := s.Acquire(ctx); err != nil {
					return err
				}
				if i > 0 {
					_, err := standing(ctx)
					return err
				}
				s.Release() // to nobody: t1 has the other permit, t2 comes later
				_, err := standing(ctx)
				return err
			})
		}
		_, err := standing(ctx)
		return err
	},
		"Task-1 waits for <Future pending name='Future-1'>",
		"t0 waits for <Future pending name='Future-2'>",
		"t1 waits for <Future pending name='Future-3'>",
		"t2 waits for <Future pending name='Future-4'>",
		"t3 waits for <Semaphore-1 free=0/2 waiters=1>, held by t1, t2")
}

// A circle through a wait for the first of several, which is certain of nothing.
func TestDeadlockReport_CircleThroughWaitFirstDone(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		var a, b *asyncio.Task[struct{}]
		a = asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := asyncio.Wait(ctx, asyncio.FirstDone, b, asyncio.NewFuture[int](ctx))
			return err
		})
		b = asyncio.Go(ctx, func(ctx context.Context) error { _, err := a.Await(ctx); return err })
		return asyncio.NewSemaphore(1).Do(ctx, func(ctx context.Context) error {
			_, err := standing(ctx)
			return err
		})
	},
		"Task-1 waits for <Future pending name='Future-1'>",
		"Task-1-1 waits for Wait for 2 of 2, held by Task-1-2",
		"Task-1-2 waits for <Task pending name='Task-1-1'>, held by Task-1-1",
		"in a circle: Task-1-1 → Task-1-2 → Task-1-1")
}

func TestDeadlockReport_AsCompleted(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		a, b, c := asyncio.Spawn(ctx, standing), asyncio.Spawn(ctx, taskAnswer), asyncio.Spawn(ctx, standing)
		for _, err := range asyncio.AsCompleted(ctx, a, b, c) {
			if err != nil {
				return err
			}
		}
		return nil
	},
		"Task-1 waits for AsCompleted for 2 of 3, held by Task-1-1, Task-1-3",
		"Task-1-1 waits for <Future pending name='Future-1'>",
		"Task-1-3 waits for <Future pending name='Future-2'>")
}

// The body of a generator is no task of the tree, but what it waits for is why its
// consumer waits.
func TestDeadlockReport_Generators(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		numbers := asyncio.Generate(ctx, func(ctx context.Context, _ func(int) bool) error { _, err := standing(ctx); return err })
		squares := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			for v, err := range numbers.All(ctx) {
				if err != nil || !yield(v*v) {
					return err
				}
			}
			return nil
		})
		idle := countTo(ctx, 3) // stands in its yield, and nobody wants anything of it
		_, _, _ = idle.Next(ctx)
		_, _, err := squares.Next(ctx)
		return err
	},
		"Task-1 waits for <Generator Generator-1-2 waiting>, held by Generator-1-2",
		"Generator-1-2 waits for <Generator Generator-1-1 waiting>, held by Generator-1-1",
		"Generator-1-1 waits for <Future pending name='Future-1'>")
}

func TestDeadlockReport_ConditionThatWasNotifiedWaitsForTheLock(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		var c asyncio.Cond
		startAs(ctx, "waiter", func(ctx context.Context) error { return c.Do(ctx, c.Wait) })
		_ = asyncio.Yield(ctx)
		return c.Do(ctx, func(ctx context.Context) error {
			c.NotifyAll()
			_, err := standing(ctx)
			return err
		})
	},
		"Task-1 waits for <Future pending name='Future-1'>",
		"waiter waits for <Lock-2 locked by Task-1 waiters=1>, held by Task-1")
}

func TestDeadlockReport_StartIn(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			_, err := asyncio.StartIn(ctx, g, func(ctx context.Context, _ func(int)) error { _, err := standing(ctx); return err })
			return err
		})
	},
		"Task-1 waits for the start of <Task pending name='Task-1-1'>, held by Task-1-1",
		"Task-1-1 waits for <Future pending name='Future-1'>")
}

// A task may hand on what it is to call when it is ready. So it is not certain that
// it must call it itself, and its wait fails only when the whole loop stands still.
func TestDeadlockReport_StartInOfATaskThatWantsTheLock(t *testing.T) {
	reports(t, func(ctx context.Context) error {
		var l asyncio.Lock
		return l.Do(ctx, func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				_, err := asyncio.StartIn(ctx, g, func(ctx context.Context, _ func(int)) error { return l.Acquire(ctx) })
				return err
			})
		})
	},
		"Task-1 waits for the start of <Task pending name='Task-1-1'>, held by Task-1-1",
		"Task-1-1 waits for <Lock-1 locked by Task-1 waiters=1>, held by Task-1",
		"in a circle: Task-1 → Task-1-1 → Task-1")
}

// hereStanding waits, on the line below the one that it returns.
func hereStanding(ctx context.Context, line *int) error {
	_, _, *line, _ = runtime.Caller(0)
	_, err := asyncio.NewFuture[int](ctx).Await(ctx)
	return err
}

// The place is the innermost line of the program's own, also below brackets.
func TestDeadlockReport_SaysWhere(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	var line int
	err := b.Run(context.Background(), func(ctx context.Context) error {
		return asyncio.NewSemaphore(1).Do(ctx, func(ctx context.Context) error {
			_, err := asyncio.Shield(ctx, asyncio.Void(func(ctx context.Context) error { return hereStanding(ctx, &line) }))
			return err
		})
	})
	if want := fmt.Sprintf("/deadlock_report_test.go:%d exception=", line+1); !strings.Contains(b.log.Text(), want) {
		t.Errorf("Run = %v, the report lacks %s:\n%s", err, want, b.log.Text())
	}
}

// Everybody is cancelled, with a cause that tells it apart, and may clean up.
func TestDeadlockReport_AllAreCancelled(t *testing.T) {
	s := &story{}
	b := quietBench()
	_ = b.Run(context.Background(), func(ctx context.Context) error {
		for _, name := range []string{"a", "b"} {
			startAs(ctx, name, func(ctx context.Context) error {
				_, err := standing(ctx)
				s.add("%s %v %v", name, errors.Is(err, asyncio.ErrDeadlock), errors.Is(err, context.Canceled))
				_, err = asyncio.Shield(ctx, asyncio.Void(asyncio.Yield))
				return err
			})
		}
		_, err := standing(ctx)
		s.add("main %v %v", errors.Is(err, asyncio.ErrDeadlock), errors.Is(err, context.Canceled))
		return err
	})
	s.want(t, "main true true", "a true true", "b true true")
	if n := b.log.Count("Deadlock: every task waits"); n != 1 || len(b.log.Lines()) != 1 {
		t.Errorf("logged:\n%s", b.log.Text())
	}
}
