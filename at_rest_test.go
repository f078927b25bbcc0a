package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A hosted loop is driven step by step by a host that is told when there is
// something to do.
type hosted struct {
	*asyncio.Loop
	wakes int
}

func newHosted(t *testing.T) *hosted {
	t.Helper()
	h := &hosted{}
	h.Loop = asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}, OnWake: func() { h.wakes++ }})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return h
}

// settle steps until only OnWake could bring something new.
func (h *hosted) settle(t *testing.T) {
	t.Helper()
	for {
		next, err := h.Step()
		if err != nil {
			t.Fatal(err)
		}
		if next.IsZero() {
			return
		}
	}
}

// start runs f as a task until it waits for something.
func (h *hosted) start(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	asyncio.Submit(h.Loop, asyncio.Void(f))
	h.settle(t)
}

// At rest a loop and what is bound to it belong to whoever holds them. What wakes
// a task tells the host, once, and the task goes on with the next step.
func TestAtRest_WakingATaskTellsTheHost(t *testing.T) {
	noLeaks(t)
	getWith := func(b *toolbox, s *story) func(context.Context) error {
		return func(ctx context.Context) error {
			v, err := b.queue.Get(ctx)
			s.add("got %d, %v", v, err)
			return nil
		}
	}
	failed := func(b *toolbox, s *story) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := b.barrier.Wait(ctx)
			s.add("%v", err)
			return nil
		}
	}
	then := func(s *story, what string, wait func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			err := wait(ctx)
			s.add("%s: %v", what, err)
			return nil
		}
	}
	for name, c := range map[string]struct {
		wait func(b *toolbox, s *story) func(ctx context.Context) error
		use  func(b *toolbox)
		want string
	}{
		"Event.Set": {
			func(b *toolbox, s *story) func(context.Context) error { return then(s, "set", b.event.Wait) },
			func(b *toolbox) { b.event.Set() }, "set: <nil>"},
		"Semaphore.Release": {
			func(b *toolbox, s *story) func(context.Context) error { return then(s, "permit", b.sem.Acquire) },
			func(b *toolbox) { b.sem.Release() }, "permit: <nil>"},
		"Barrier.Abort": {failed, func(b *toolbox) { b.barrier.Abort() }, wasAborted},
		"Barrier.Reset": {failed, func(b *toolbox) { b.barrier.Reset() }, wasReset},
		"Queue.TryPut":  {getWith, func(b *toolbox) { _ = b.queue.TryPut(7) }, "got 7, <nil>"},
		"Queue.Shutdown": {getWith, func(b *toolbox) { b.queue.Shutdown(false) },
			"got 0, asyncio: the queue is shut down: <Queue-1 maxsize=1 len=0 getters=1 shutdown>"},
		"Queue.TryGet": {
			func(b *toolbox, s *story) func(context.Context) error {
				_ = b.queue.TryPut(1)
				return then(s, "put", func(ctx context.Context) error { return b.queue.Put(ctx, 2) })
			},
			func(b *toolbox) { _, _ = b.queue.TryGet() }, "put: <nil>"},
		"Queue.TaskDone": {
			func(b *toolbox, s *story) func(context.Context) error {
				_ = b.queue.TryPut(1)
				return then(s, "join", b.queue.Join)
			},
			func(b *toolbox) { b.queue.TaskDone() }, "join: <nil>"},
		"Queue.Shutdown, at once": {
			func(b *toolbox, s *story) func(context.Context) error {
				_ = b.queue.TryPut(1)
				return then(s, "join", b.queue.Join)
			},
			func(b *toolbox) { b.queue.Shutdown(true) }, "join: <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			h, b, s := newHosted(t), newToolbox(), &story{}
			h.start(t, b.sem.Acquire) // the only permit
			h.start(t, c.wait(b, s))
			s.want(t)
			before := h.wakes
			c.use(b)
			if h.wakes != before+1 {
				t.Errorf("the host was told %d times, want once", h.wakes-before)
			}
			s.want(t)
			h.settle(t)
			s.want(t, c.want)
		})
	}
}

// Nothing is to be run after these.
func TestAtRest_LookingDoesNotDisturbTheHost(t *testing.T) {
	noLeaks(t)
	h, b := newHosted(t), newToolbox()
	h.start(t, b.event.Wait)
	h.start(t, func(ctx context.Context) error { return b.lock.Do(ctx, b.queue.Join) })
	h.start(t, func(ctx context.Context) error { _, err := b.queue.Get(ctx); return err })
	h.start(t, func(ctx context.Context) error { _, err := b.barrier.Wait(ctx); return err })
	before := h.wakes
	if b.event.IsSet() || b.lock.Locked() || b.sem.Free() != 1 || b.barrier.Broken() || b.barrier.Waiting() != 1 || b.queue.Len() != 0 {
		t.Errorf("%v %v %v %v %v", &b.event, &b.lock, b.sem, b.barrier, b.queue)
	}
	b.event.Clear()
	wantString(t, b.barrier, "<Barrier-3 parties=2 waiters=1>")
	wantString(t, b.queue, "<Queue-2 maxsize=1 len=0 getters=1>")
	if h.wakes != before {
		t.Errorf("the host was told %d times", h.wakes-before)
	}
}

// What is done between two runs is found by the second.
func TestAtRest_BetweenTwoRuns(t *testing.T) {
	noLeaks(t)
	loop := newLoop(t)
	b, s := newToolbox(), &story{}
	if _, err := asyncio.RunUntilComplete(t.Context(), loop, func(ctx context.Context) (int, error) {
		getting(ctx, b.queue, s, "getter")
		eventWaiters(ctx, &b.event, s, "waiter")
		namedTasks(ctx, func(ctx context.Context, name string) error {
			return b.lock.Do(ctx, func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, time.Second)
				s.add("%s: %v", name, err)
				return err
			})
		}, "holder", "next")
		return 0, asyncio.Yield(ctx)
	}); err != nil {
		t.Fatal(err)
	}
	s.want(t)
	wantString(t, &b.lock, "<Lock-3 locked by holder waiters=1>")
	b.event.Set()
	fill(t, b.queue, 1, 2)
	wantString(t, b.queue, "<Queue-1 maxsize=1 len=1 unfinished=2>")
	if _, err := asyncio.RunUntilComplete(t.Context(), loop, func(ctx context.Context) (int, error) {
		return 0, asyncio.Sleep(ctx, time.Minute)
	}); err != nil {
		t.Fatal(err)
	}
	s.want(t, "waiter: <nil>", "getter has 1", "holder: <nil>", "next: <nil>")
	if b.lock.Locked() {
		t.Errorf("%v at the end", &b.lock)
	}
}
