package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// lineAbove is the place n lines above its caller, as messages print it.
func lineAbove(n int) string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s/%s:%d", filepath.Base(filepath.Dir(file)), filepath.Base(file), line-n)
}

// inNoAwait is the panic of fn inside the NoAwait that began at place.
func inNoAwait(fn, place string) string {
	return "asyncio: " + fn + ": awaits inside NoAwait (" + place + "), where no other task may run; await before it or after it"
}

// Every await, whether or not it would have to wait here.
func awaits(t *testing.T, ctx context.Context) map[string]func() {
	t.Helper()
	done, future := asyncio.Go(ctx, nothing), asyncio.NewFuture[int](ctx)
	if err := awaitEach(ctx, done); err != nil {
		t.Error(err)
	}
	b := newToolbox()
	b.event.Set()
	if !b.lock.TryAcquire(ctx) {
		t.Error("the lock is not free")
	}
	held := asyncio.Cond{L: &b.lock}
	gen := asyncio.Generate(ctx, noItems)
	results := make(chan int, 1)
	ctx2 := context.WithValue(ctx, key{}, 1) // the slow way to the loop
	return map[string]func(){
		"Sleep":             func() { _ = asyncio.Sleep(ctx, time.Second) },
		"Yield":             func() { _ = asyncio.Yield(ctx2) },
		"Task.Await":        func() { _, _ = done.Await(ctx) },
		"Future.Await":      func() { _, _ = future.Await(ctx) },
		"Lock.Acquire":      func() { _ = new(asyncio.Lock).Acquire(ctx) },
		"Event.Wait":        func() { _ = b.event.Wait(ctx) },
		"Cond.Wait":         func() { _ = held.Wait(ctx) },
		"Semaphore.Acquire": func() { _ = b.sem.Acquire(ctx) },
		"Barrier.Wait":      func() { _, _ = b.barrier.Wait(ctx) },
		"Queue.Put":         func() { _ = b.queue.Put(ctx, 1) },
		"Queue.Get":         func() { _, _ = b.queue.Get(ctx) },
		"Queue.Join":        func() { _ = b.queue.Join(ctx) },
		"Generator.Next":    func() { _, _, _ = gen.Next(ctx) },
		"Generator.Close":   func() { _ = gen.Close(ctx) },
		"Blocking":          func() { _, _ = asyncio.Blocking(ctx, nothingV) },
		"Abandonable":       func() { _, _ = asyncio.Abandonable(ctx, nothingV) },
		"Recv":              func() { _, _, _ = asyncio.Recv(ctx, results) },
		"Send":              func() { _ = asyncio.Send(ctx, results, 1) },
		"Timeout":           func() { _ = asyncio.Timeout(ctx, time.Second, nothing) },
		"WaitFor":           func() { _, _ = asyncio.WaitFor(ctx, time.Second, nothingV) },
		"Shield":            func() { _, _ = asyncio.Shield(ctx, nothingV) },
		"Group":             func() { _ = asyncio.Group(ctx, func(context.Context, *asyncio.TaskGroup) error { return nil }) },
		"Gather":            func() { _, _ = asyncio.Gather(ctx, nothingV) },
		"Settle":            func() { asyncio.Settle(ctx, nothingV) },
		"First":             func() { _, _ = asyncio.First(ctx, nothingV) },
		"Wait":              func() { _, _, _ = asyncio.Wait(ctx, asyncio.AllDone, done) },
		"AsCompleted": func() {
			for range asyncio.AsCompleted(ctx, done) {
				break
			}
		},
	}
}

func TestNoAwait_EveryAwaitPanics(t *testing.T) {
	noLeaks(t)
	b := quietBench() // the lock is not given back
	err := b.Run(t.Context(), func(ctx context.Context) error {
		ran := false
		for fn, f := range awaits(t, ctx) {
			asyncio.NoAwait(ctx, func() {
				ran = true
				wantPanic(t, inNoAwait(fn, lineAbove(2)), f)
			})
		}
		if !ran {
			t.Error("NoAwait did not run the function")
		}
		return asyncio.Yield(ctx) // afterwards it may
	})
	if err != nil || b.log.Count("ERROR asyncio: Lock was never released") != 1 || len(b.log.Lines()) != 1 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}

// StartIn is given a group that was opened before.
func TestNoAwait_StartInPanics(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			asyncio.NoAwait(ctx, func() {
				wantPanic(t, inNoAwait("StartIn", lineAbove(1)), func() {
					_, _ = asyncio.StartIn(ctx, g, func(context.Context, func(int)) error { return nil })
				})
				g.Go(nothing) // does not wait
			})
			return nil
		})
	})
}

// yield lets the consumer run, like any await.
func TestNoAwait_YieldOfAGeneratorPanics(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var text, place string
		g := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			asyncio.NoAwait(ctx, func() { text, place = panicOf(func() { yield(1) }), lineAbove(0) })
			yield(2)
			return nil
		})
		v, ok, err := g.Next(ctx)
		if want := inNoAwait("yield", place); text != want {
			t.Errorf("panicked with %s\nwant          %s", text, want)
		}
		if v != 2 || !ok {
			t.Errorf("Next = %d, %v, want the value that was yielded outside", v, ok)
		}
		wantPanic(t, "no panic", func() { err = errors.Join(err, g.Close(ctx)) })
		return err
	})
}

func TestNoAwait_ADoThatWouldAwaitDoesNotRun(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var l asyncio.Lock
		m := asyncio.NewSemaphore(1)
		asyncio.NoAwait(ctx, func() {
			place := lineAbove(1)
			f := func(context.Context) error { t.Error("Do ran the function"); return nil }
			wantPanic(t, inNoAwait("Lock.Acquire", place), func() { _ = l.Do(ctx, f) })
			wantPanic(t, inNoAwait("Semaphore.Acquire", place), func() { _ = m.Do(ctx, f) })
		})
		if l.Locked() || m.Free() != 1 {
			t.Errorf("%v, %v", &l, m)
		}
		return nil
	})
}

func TestNoAwait_WhatDoesNotWaitIsAllowed(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		b, s := newToolbox(), &story{}
		future := asyncio.NewFuture[int](ctx)
		tasks := getting(ctx, b.queue, s, "getter")
		tasks = append(tasks, eventWaiters(ctx, &b.event, s, "waiter")...)
		turns(t, ctx, 1)
		asyncio.NoAwait(ctx, func() {
			if !b.lock.TryAcquire(ctx) || !b.sem.TryAcquire(ctx) {
				t.Error("TryAcquire failed")
			}
			b.lock.Release()
			b.sem.Release()
			b.event.Set()
			future.SetResult(1)
			fill(t, b.queue, 1, 2)
			if v, err := b.queue.TryGet(); v != 2 || err != nil {
				t.Errorf("TryGet = %d, %v", v, err)
			}
			b.queue.TaskDone()
			b.queue.Shutdown(false)
			b.barrier.Reset()
			loop.CallSoon(func() { s.add("callback") })
			sub, cancel := asyncio.WithTimeout(ctx, time.Hour)
			cancel()
			tasks = append(tasks, asyncio.Go(context.WithoutCancel(sub), func(context.Context) error { s.add("spawned"); return nil }))
			s.add("last in NoAwait")
		})
		err := awaitEach(ctx, tasks...)
		s.want(t, "last in NoAwait", "waiter: <nil>", "getter has 1", "callback", "spawned")
		return err
	})
}

// Nobody else sees what is half done.
func TestNoAwait_IsOneStep(t *testing.T) {
	noLeaks(t)
	for name, c := range choosers() {
		chosen(t, c, func(ctx context.Context) error {
			left, right := 100, 0
			return awaitEach(ctx, namedTasks(ctx, func(ctx context.Context, _ string) error {
				for range 10 {
					asyncio.NoAwait(ctx, func() {
						if left+right != 100 {
							t.Errorf("%s: %d and %d", name, left, right)
						}
						left--
						asyncio.Go(ctx, nothing)
						right++
					})
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
				}
				return nil
			}, "a", "b", "c")...)
		})
	}
}

// The innermost one is named, and the outer one holds on after it.
func TestNoAwait_Nested(t *testing.T) {
	run(t, func(ctx context.Context) error {
		yield := func() { _ = asyncio.Yield(ctx) }
		asyncio.NoAwait(ctx, func() {
			outer := lineAbove(1)
			wantPanic(t, inNoAwait("Yield", outer), yield)
			asyncio.NoAwait(ctx, func() {
				wantPanic(t, inNoAwait("Yield", lineAbove(1)), yield)
			})
			wantPanic(t, inNoAwait("Yield", outer), yield)
		})
		return asyncio.Yield(ctx)
	})
}

func TestNoAwait_EndsWithAPanic(t *testing.T) {
	run(t, func(ctx context.Context) error {
		wantPanic(t, "kaboom", func() { asyncio.NoAwait(ctx, explode) })
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		asyncio.NoAwait(ctx, func() {
			outer := lineAbove(1)
			wantPanic(t, "kaboom", func() { asyncio.NoAwait(ctx, explode) })
			wantPanic(t, inNoAwait("Yield", outer), func() { _ = asyncio.Yield(ctx) })
		})
		// The panic over an await ends it as well, like any.
		_ = panicOf(func() { asyncio.NoAwait(ctx, func() { _ = asyncio.Yield(ctx) }) })
		return asyncio.Yield(ctx)
	})
}

func TestNoAwait_EndsWithAGoexit(t *testing.T) {
	noLeaks(t)
	b := newBench()
	cleaned := error(errBoom)
	outcome := outcomeOf(func() error {
		return b.Run(t.Context(), func(ctx context.Context) error {
			asyncio.Go(ctx, func(ctx context.Context) error {
				err := sleepLong(ctx)
				cleaned = asyncio.Yield(context.WithoutCancel(ctx))
				return err
			})
			_ = asyncio.Yield(ctx)
			asyncio.NoAwait(ctx, func() { runtime.Goexit() })
			return nil
		})
	})
	if outcome != "Goexit" || cleaned != nil || b.log.Text() != "" {
		t.Errorf("Run ended with %s, the other task's await with %v, logged:\n%s", outcome, cleaned, b.log.Text())
	}
}

// A task that is started eagerly runs inside, and must not await there either. One
// that does not is welcome.
func TestNoAwait_EagerTasks(t *testing.T) {
	noLeaks(t)
	b := newBench()
	err := b.Run(t.Context(), func(ctx context.Context) error {
		var good, bad *asyncio.Task[int]
		eager := asyncio.TaskOptions{Eager: true}
		var place string
		asyncio.NoAwait(ctx, func() {
			place = lineAbove(1)
			good = asyncio.SpawnWith(ctx, eager, func(context.Context) (int, error) { return 1, nil })
			bad = asyncio.SpawnWith(ctx, eager, func(ctx context.Context) (int, error) { return 2, asyncio.Yield(ctx) })
			if !good.Done() || !bad.Done() {
				t.Errorf("%v, %v; want both done", good, bad)
			}
			wantPanic(t, inNoAwait("Yield", place), func() { _ = asyncio.Yield(ctx) })
		})
		if v, err := good.Await(ctx); v != 1 || err != nil {
			t.Errorf("the task that did not await: %d, %v", v, err)
		}
		_, err := bad.Await(ctx)
		var pe *asyncio.PanicError
		if !errors.As(err, &pe) || fmt.Sprint(pe.Value) != inNoAwait("Yield", place) {
			t.Errorf("the task that awaited ended with %v", err)
		}
		return nil
	})
	if err != nil || b.log.Count("ERROR asyncio: Task panicked", "Yield: awaits inside NoAwait") != 1 || len(b.log.Lines()) != 1 {
		t.Errorf("err=%v, logged:\n%s", err, b.log.Text())
	}
}

func TestNoAwait_Misuse(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		none := func() { t.Error("NoAwait ran the function") }
		wantPanic(t, "asyncio: NoAwait: the function is nil; pass the function to call", func() { asyncio.NoAwait(ctx, nil) })
		if got := panicOf(func() { asyncio.NoAwait(context.Background(), none) }); !strings.HasPrefix(got,
			"asyncio: NoAwait: no running event loop in this context; ") {
			t.Errorf("panicked with %s", got)
		}
		loop.CallSoon(func() {
			if got := panicOf(func() { asyncio.NoAwait(ctx, none) }); !strings.HasPrefix(got,
				"asyncio: NoAwait: called from a plain callback") {
				t.Errorf("panicked with %s", got)
			}
		})
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
		_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
			wantPanic(t, "asyncio: NoAwait: called from a goroutine that does not run "+loopName(t, loop)+
				"; from other goroutines use Loop.CallSoon or Submit", func() { asyncio.NoAwait(ctx, none) })
			return 0, nil
		})
		return err
	})
}
