package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A toolbox is one of each primitive. Nothing in it is held or waited for.
type toolbox struct {
	lock    asyncio.Lock
	event   asyncio.Event
	cond    asyncio.Cond
	inner   asyncio.Lock // of cond
	sem     *asyncio.Semaphore
	barrier *asyncio.Barrier
	queue   *asyncio.Queue[int]
}

func newToolbox() *toolbox {
	b := &toolbox{sem: asyncio.NewSemaphore(1), barrier: asyncio.NewBarrier(2), queue: asyncio.NewQueue[int](1)}
	b.cond.L = &b.inner
	return b
}

// waitForEach has the calling task wait for everything in the box for a second.
func (b *toolbox) waitForEach(t *testing.T, ctx context.Context) {
	t.Helper()
	hold := asyncio.Go(ctx, func(ctx context.Context) error { return b.lock.Do(ctx, sleeping(time.Minute)) })
	if err := errors.Join(asyncio.Yield(ctx), b.sem.Acquire(ctx)); err != nil {
		t.Error(err)
	}
	for what, wait := range map[string]func(ctx context.Context) error{
		"lock":    b.lock.Acquire,
		"event":   b.event.Wait,
		"cond":    func(ctx context.Context) error { return b.cond.Do(ctx, b.cond.Wait) },
		"sem":     b.sem.Acquire,
		"barrier": func(ctx context.Context) error { _, err := b.barrier.Wait(ctx); return err },
		"queue":   func(ctx context.Context) error { _, err := b.queue.Get(ctx); return err },
	} {
		if err := asyncio.Timeout(ctx, time.Second, wait); !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("the wait for the %s ended with %v", what, err)
		}
	}
	b.sem.Release()
	if err := awaitEach(ctx, hold); err != nil {
		t.Error(err)
	}
}

// A use is a call of the method fn of something in a toolbox.
type use struct {
	fn   string
	of   fmt.Stringer
	call func(ctx context.Context)
}

// waits are the methods that a task calls, of which each may have to wait.
func (b *toolbox) waits() []use {
	return []use{
		{"Lock.Acquire", &b.lock, func(ctx context.Context) { _ = b.lock.Acquire(ctx) }},
		{"Lock.TryAcquire", &b.lock, func(ctx context.Context) { b.lock.TryAcquire(ctx) }},
		{"Lock.Acquire", &b.inner, func(ctx context.Context) { _ = b.cond.Acquire(ctx) }},
		{"Event.Wait", &b.event, func(ctx context.Context) { _ = b.event.Wait(ctx) }},
		{"Semaphore.Acquire", b.sem, func(ctx context.Context) { _ = b.sem.Acquire(ctx) }},
		{"Semaphore.TryAcquire", b.sem, func(ctx context.Context) { b.sem.TryAcquire(ctx) }},
		{"Barrier.Wait", b.barrier, func(ctx context.Context) { _, _ = b.barrier.Wait(ctx) }},
		{"Queue.Put", b.queue, func(ctx context.Context) { _ = b.queue.Put(ctx, 1) }},
		{"Queue.Get", b.queue, func(ctx context.Context) { _, _ = b.queue.Get(ctx) }},
		{"Queue.Join", b.queue, func(ctx context.Context) { _ = b.queue.Join(ctx) }},
	}
}

// others are the methods that anybody may call on the loop.
func (b *toolbox) others() []use {
	return []use{
		{"Lock.Locked", &b.lock, func(context.Context) { b.lock.Locked() }},
		{"Event.Set", &b.event, func(context.Context) { b.event.Set() }},
		{"Event.Clear", &b.event, func(context.Context) { b.event.Clear() }},
		{"Event.IsSet", &b.event, func(context.Context) { b.event.IsSet() }},
		{"Semaphore.Free", b.sem, func(context.Context) { b.sem.Free() }},
		{"Semaphore.Release", b.sem, func(context.Context) { b.sem.Release() }},
		{"Barrier.Abort", b.barrier, func(context.Context) { b.barrier.Abort() }},
		{"Barrier.Reset", b.barrier, func(context.Context) { b.barrier.Reset() }},
		{"Barrier.Broken", b.barrier, func(context.Context) { b.barrier.Broken() }},
		{"Barrier.Waiting", b.barrier, func(context.Context) { b.barrier.Waiting() }},
		{"Queue.TryPut", b.queue, func(context.Context) { _ = b.queue.TryPut(1) }},
		{"Queue.TryGet", b.queue, func(context.Context) { _, _ = b.queue.TryGet() }},
		{"Queue.TaskDone", b.queue, func(context.Context) { b.queue.TaskDone() }},
		{"Queue.Shutdown", b.queue, func(context.Context) { b.queue.Shutdown(true) }},
		{"Queue.Len", b.queue, func(context.Context) { b.queue.Len() }},
	}
}

// onBoth calls f on a loop that is run by Blocking while the loop of ctx runs.
func onBoth(t *testing.T, ctx context.Context, f func(ctx context.Context, inner *asyncio.Loop)) error {
	t.Helper()
	_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
		return asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
			inner, err := asyncio.RunningLoop(ctx)
			f(ctx, inner)
			return 0, err
		})
	})
	return err
}

const handOver = "; hand values from loop to loop with CallSoon or Submit"

func boundText(u use, to, used string) string {
	return "asyncio: " + u.fn + ": " + u.of.String() + " is bound to " + to +
		", on which a task has waited for it, but was used on " + used + handOver
}

// Until a task waits, a primitive belongs to no loop.
func TestBinding_NotBeforeATaskWaits(t *testing.T) {
	noLeaks(t)
	b := newToolbox()
	for range 3 {
		loop := newLoop(t)
		if _, err := asyncio.RunUntilComplete(t.Context(), loop, func(ctx context.Context) (int, error) {
			b.event.Set()
			err := errors.Join(b.event.Wait(ctx), b.lock.Do(ctx, nothing), b.sem.Do(ctx, nothing), b.cond.Do(ctx, nothing),
				b.queue.Put(ctx, 1), b.queue.TryPut(2))
			if !errors.Is(err, asyncio.ErrQueueFull) {
				return 0, err
			}
			v, err := b.queue.Get(ctx)
			b.queue.TaskDone()
			return v, errors.Join(err, b.queue.Join(ctx))
		}); err != nil {
			t.Fatal(err)
		}
	}
	wantString(t, b.queue, "<Queue maxsize=1 len=0>")
	wantString(t, &b.event, "<Event set>")
}

// From then on it belongs to that task's loop, also when nobody waits for it any
// more and the other loop would not have to wait: the two may run at the same time.
func TestBinding_AnotherLoopMustNotWaitForIt(t *testing.T) {
	onLoop(t, func(ctx context.Context, outer *asyncio.Loop) error {
		b := newToolbox()
		b.waitForEach(t, ctx)
		b.event.Set()
		return onBoth(t, ctx, func(ctx context.Context, inner *asyncio.Loop) {
			for _, u := range b.waits() {
				wantPanic(t, boundText(u, loopName(t, outer), loopName(t, inner)), func() { u.call(ctx) })
			}
		})
	})
}

func TestBinding_AnotherLoopMustNotWaitForItAtRest(t *testing.T) {
	noLeaks(t)
	b := newToolbox()
	loop, other := newLoop(t), newLoop(t)
	if _, err := asyncio.RunUntilComplete(t.Context(), loop, func(ctx context.Context) (int, error) {
		b.waitForEach(t, ctx)
		return 0, nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := asyncio.RunUntilComplete(t.Context(), other, func(ctx context.Context) (int, error) {
		for _, u := range b.waits() {
			wantPanic(t, boundText(u, loopName(t, loop), loopName(t, other)), func() { u.call(ctx) })
		}
		return 0, nil
	}); err != nil {
		t.Error(err)
	}
}

func TestBinding_AnotherLoopMustNotUseIt(t *testing.T) {
	onLoop(t, func(ctx context.Context, outer *asyncio.Loop) error {
		b := newToolbox()
		b.waitForEach(t, ctx)
		return onBoth(t, ctx, func(ctx context.Context, inner *asyncio.Loop) {
			for _, u := range b.others() {
				wantPanic(t, "asyncio: "+u.fn+": belongs to "+loopName(t, outer)+" but was used on "+loopName(t, inner)+handOver,
					func() { u.call(ctx) })
			}
		})
	})
}

func TestBinding_AGoroutineMustNotUseIt(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		b := newToolbox()
		b.waitForEach(t, ctx)
		_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
			for _, u := range append(b.waits(), b.others()...) {
				wantPanic(t, "asyncio: "+u.fn+": called from a goroutine that does not run "+loopName(t, loop)+
					"; from other goroutines use Loop.CallSoon or Submit", func() { u.call(ctx) })
			}
			return 0, nil
		})
		if b.event.IsSet() || b.barrier.Broken() || b.queue.Len() != 0 || b.sem.Free() != 1 {
			t.Errorf("%v %v %v %v", &b.event, b.barrier, b.queue, b.sem)
		}
		return err
	})
}

// A task that waits needs a task: a callback only may use what does not wait.
func TestBinding_ACallbackMustNotWait(t *testing.T) {
	onLoop(t, func(ctx context.Context, loop *asyncio.Loop) error {
		b := newToolbox()
		if err := b.queue.Put(ctx, 1); err != nil {
			return err
		}
		loop.CallSoon(func() {
			for _, u := range b.waits() {
				wantPanic(t, "asyncio: "+u.fn+": called from a plain callback, which cannot wait; "+
					"start a task from it with Go or Spawn", func() { u.call(ctx) })
			}
		})
		return asyncio.Yield(ctx)
	})
}

// A loop that is closed has no use for it any more.
func TestBinding_AClosedLoopFreesIt(t *testing.T) {
	noLeaks(t)
	b := newToolbox()
	for range 3 {
		run(t, func(ctx context.Context) error {
			b.waitForEach(t, ctx)
			for _, left := range []func(context.Context) error{ // and some wait when it is closed
				b.event.Wait,
				func(ctx context.Context) error { _, err := b.queue.Get(ctx); return err },
				func(ctx context.Context) error { _, err := b.barrier.Wait(ctx); return err },
				func(ctx context.Context) error { return b.cond.Do(ctx, b.cond.Wait) },
			} {
				asyncio.Go(ctx, left)
			}
			return asyncio.Yield(ctx)
		})
		if b.barrier.Waiting() != 0 || b.lock.Locked() || b.sem.Free() != 1 || b.queue.Len() != 0 {
			t.Errorf("%v %v %v %v", b.barrier, &b.lock, b.sem, b.queue)
		}
		b.event.Set() // no loop is in the way
		b.event.Clear()
	}
}

// The same if Close had to leave the loop behind, stuck in a step that blocks:
// its tasks, which wait for ever, must not take part any more.
func TestBinding_ALoopThatIsLeftBehindFreesIt(t *testing.T) {
	noLeaks(t)
	q := asyncio.NewQueue[string](1)
	fill(t, q, "put")
	block := make(chan struct{})
	defer close(block)
	b := newBench()
	b.Options.ShutdownTimeout = time.Millisecond
	err := b.Run(t.Context(), func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error { return q.Put(context.WithoutCancel(ctx), "never put") })
		asyncio.Go(ctx, func(ctx context.Context) error { return q.Join(context.WithoutCancel(ctx)) })
		asyncio.Go(ctx, func(ctx context.Context) error { err := sleepLong(ctx); <-block; return err })
		return asyncio.Yield(ctx)
	})
	var se *asyncio.ShutdownError
	if !errors.As(err, &se) || len(se.Left) != 3 {
		t.Errorf("Run returned %v, want three tasks left", err)
	}
	run(t, func(ctx context.Context) error {
		if v, err := q.Get(ctx); v != "put" || err != nil {
			t.Errorf("Get = %q, %v", v, err)
		}
		_, err := asyncio.WaitFor(ctx, time.Second, q.Get)
		wantTimeout(t, "a second Get", err, "asyncio: timed out after 1s")
		q.TaskDone()
		return asyncio.Timeout(ctx, time.Second, q.Join)
	})
}
