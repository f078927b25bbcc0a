package asyncio_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// What belongs to a loop that another goroutine runs at the moment is refused, and
// not looked at for that: the race detector watches this test.
func TestTwoLoops_WhatIsRefusedIsNotRead(t *testing.T) {
	noLeaks(t)
	var lock asyncio.Lock
	var event asyncio.Event
	var cond asyncio.Cond
	semaphore, barrier, queue := asyncio.NewSemaphore(1), asyncio.NewBarrier(3), asyncio.NewQueue[int](1)
	var group *asyncio.TaskGroup
	var gen *asyncio.Generator[int]
	bound, stop, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	first := asyncio.NewLoop(&asyncio.LoopOptions{Logger: slog.New(&asynciotest.Log{}), StallThreshold: -1})
	go func() {
		defer close(over)
		_, _ = asyncio.RunUntilComplete(context.Background(), first, func(ctx context.Context) (int, error) {
			for range 3 {
				for _, f := range []func(ctx context.Context) error{
					func(ctx context.Context) error { return lock.Do(ctx, asyncio.Yield) },
					func(ctx context.Context) error { return cond.Do(ctx, cond.Wait) },
					func(ctx context.Context) error { return semaphore.Do(ctx, asyncio.Yield) },
					func(ctx context.Context) error { _, err := barrier.Wait(ctx); return err },
					func(ctx context.Context) error { return queue.Put(ctx, 1) },
					func(ctx context.Context) error { _, err := queue.Get(ctx); return err },
					event.Wait,
				} {
					asyncio.Go(ctx, func(ctx context.Context) error {
						for ctx.Err() == nil {
							_ = asyncio.Timeout(ctx, time.Microsecond, f)
						}
						return nil
					})
				}
			}
			gen = asyncio.Generate(ctx, func(_ context.Context, yield func(int) bool) error {
				for yield(1) {
				}
				return nil
			})
			return 0, asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				group = g
				for i := 0; ; i++ {
					if i == 100 {
						close(bound)
					}
					g.Go(asyncio.Yield)
					_, _, _ = gen.Next(ctx)
					_ = asyncio.Yield(ctx)
					select {
					case <-stop:
						return nil
					default:
					}
				}
			})
		})
	}()
	<-bound
	run(t, func(ctx context.Context) error {
		for name, f := range map[string]func(){
			"Lock.Acquire":      func() { _ = lock.Acquire(ctx) },
			"Lock.TryAcquire":   func() { lock.TryAcquire(ctx) },
			"Lock.Release":      lock.Release,
			"Cond.Wait":         func() { _ = cond.Wait(ctx) },
			"Cond.Notify":       cond.NotifyAll,
			"Event.Wait":        func() { _ = event.Wait(ctx) },
			"Event.Set":         event.Set,
			"Semaphore.Acquire": func() { _ = semaphore.Acquire(ctx) },
			"Semaphore.Release": semaphore.Release,
			"Barrier.Wait":      func() { _, _ = barrier.Wait(ctx) },
			"Barrier.Abort":     barrier.Abort,
			"Queue.Put":         func() { _ = queue.Put(ctx, 1) },
			"Queue.Get":         func() { _, _ = queue.Get(ctx) },
			"Queue.Join":        func() { _ = queue.Join(ctx) },
			"TaskGroup.Go":      func() { group.Go(asyncio.Yield) },
			"Generator.Next":    func() { _, _, _ = gen.Next(ctx) },
		} {
			got := panicOf(f)
			if !strings.HasPrefix(got, "asyncio: "+name+": ") || !strings.Contains(got, "used on loop") {
				t.Errorf("%s: %s", name, got)
			}
		}
		for _, s := range []fmt.Stringer{&lock, &cond, &event, semaphore, barrier, queue, group, gen} {
			if got := s.String(); strings.ContainsAny(got, "=") || strings.Contains(got, "locked") {
				t.Errorf("String tells what another goroutine may change: %s", got)
			}
		}
		return nil
	})
	close(stop)
	<-over
	_ = first.Close()
}
