package asyncio_test

import (
	"context"
	"errors"
	"testing"

	"github.com/asyncio-go/asyncio"
)

func TestZeroValue_ThatIsReady(t *testing.T) {
	var lock asyncio.Lock
	var event asyncio.Event
	var cond asyncio.Cond
	var variable asyncio.Var[int]
	run(t, func(ctx context.Context) error {
		waiter := asyncio.Go(ctx, func(ctx context.Context) error { return cond.Do(ctx, cond.Wait) })
		turns(t, ctx, 1)
		err := cond.Do(ctx, func(context.Context) error { cond.NotifyAll(); return nil })
		event.Set()
		wantVar(t, variable.With(ctx, 0), &variable, 0, true)
		return errors.Join(err, lock.Do(ctx, event.Wait), awaitEach(ctx, waiter))
	})
}

// The others would have no permits, nobody to wait for, and no order: a panic
// says so at the first use, where a task would wait for ever.
func TestZeroValue_OfWhatMustBeMade(t *testing.T) {
	const unmade = ": the queue was not made with NewQueue, NewLifoQueue or NewPriorityQueue"
	run(t, func(ctx context.Context) error {
		var sem asyncio.Semaphore
		var barrier asyncio.Barrier
		var q asyncio.Queue[int]
		var lifo asyncio.LifoQueue[int]
		var ordered asyncio.PriorityQueue[int]
		for text, f := range map[string]func(){
			"Semaphore.Acquire: the semaphore was not made with NewSemaphore; it has no permits": func() { _ = sem.Acquire(ctx) },
			"Barrier.Wait: the barrier was not made with NewBarrier; nobody could pass it":       func() { _, _ = barrier.Wait(ctx) },
			"Queue.Put" + unmade:      func() { _ = q.Put(ctx, 1) },
			"Queue.TryPut" + unmade:   func() { _ = lifo.TryPut(1) },
			"Queue.Get" + unmade:      func() { _, _ = ordered.Get(ctx) },
			"Queue.TryGet" + unmade:   func() { _, _ = q.TryGet() },
			"Queue.Shutdown" + unmade: func() { q.Shutdown(true) },
			"Queue.Len" + unmade:      func() { q.Len() },
		} {
			wantMisuse(t, asyncio.ErrInvalidState, "asyncio: "+text, f)
		}
		return nil
	})
}
