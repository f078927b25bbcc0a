package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Snapshots are asked for by exception handlers, callbacks, deferred functions of
// tasks that are unwound by force, and eager tasks.
func TestSnapshot_AtOddMoments(t *testing.T) {
	noLeaks(t)
	b := newBench()
	b.Options.ShutdownTimeout = time.Second
	looked := 0
	look := func(l *asyncio.Loop) {
		for task := range l.Tasks().All() {
			looked++
			_ = task.CallGraph().String()
			_ = task.String()
		}
		_ = l.Tasks().String()
	}
	b.Options.ExceptionHandler = func(l *asyncio.Loop, ec asyncio.ExceptionContext) {
		look(l)
		if ec.Task != nil {
			_ = ec.Task.CallGraph().String()
		}
	}
	_ = panicOf(func() {
		_ = b.Run(t.Context(), func(ctx context.Context) error {
			free := context.WithoutCancel(ctx)
			l, _ := asyncio.RunningLoop(ctx)
			var lock asyncio.Lock
			var ended *asyncio.Task[struct{}]
			gen := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
				look(l)
				_ = asyncio.CurrentTask(ctx).CallGraph().String()
				yield(1)
				look(l)
				return asyncio.Sleep(free, time.Hour)
			})
			_, _, _ = gen.Next(ctx)
			asyncio.Go(ctx, func(ctx context.Context) error { _, _, err := gen.Next(free); return err })
			for range 3 {
				asyncio.Go(ctx, func(ctx context.Context) error {
					defer func() { look(l); _ = asyncio.Sleep(free, time.Millisecond); look(l) }()
					return asyncio.Sleep(free, time.Hour)
				})
			}
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.SetLimit(2)
				asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true, Group: g}, func(ctx context.Context) (int, error) {
					look(l)
					asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, func(ctx context.Context) (int, error) {
						look(l)
						asyncio.NoAwait(ctx, func() { look(l) })
						return 0, lock.Acquire(ctx) // and keeps it
					})
					_ = asyncio.Sleep(ctx, time.Second)
					panic("x")
				})
				ended = g.Go(func(ctx context.Context) error { return lock.Acquire(ctx) })
				held := g.Go(func(ctx context.Context) error { return nil })
				_ = held.CallGraph().String()
				ended.AddDoneCallback(func(t *asyncio.Task[struct{}]) { look(l); _ = t.CallGraph().String() })
				l.CallSoon(func() { look(l) })
				asyncio.Go(ctx, func(ctx context.Context) error {
					return asyncio.Timeout(ctx, 2*time.Second, func(ctx context.Context) error { return lock.Do(ctx, asyncio.Yield) })
				})
				_ = asyncio.Sleep(ctx, time.Minute)
				_ = ended.CallGraph().String()
				return nil
			})
		})
	})
	if looked == 0 {
		t.Error("nothing was seen")
	}
	if b.log.Count("nil pointer") != 0 {
		t.Error(b.log.Text())
	}
}
