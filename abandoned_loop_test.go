package asyncio_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// abandoned makes a loop on which a task waits by way of wait, and has Close leave
// it to another one that blocks until release is called.
func abandoned(t *testing.T, wait func(ctx context.Context) error) (release func()) {
	t.Helper()
	l := asyncio.NewLoop(&asyncio.LoopOptions{Logger: slog.New(&asynciotest.Log{}), ShutdownTimeout: time.Millisecond, StallThreshold: -1})
	unblock, left := make(chan struct{}), make(chan struct{})
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer close(left)
			return wait(context.WithoutCancel(ctx))
		})
		asyncio.Go(ctx, func(ctx context.Context) error {
			_ = asyncio.Sleep(ctx, time.Hour)
			<-unblock
			return nil
		})
		_ = asyncio.Yield(ctx)
		return 0, asyncio.Yield(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), "blocks outside of an await") {
		t.Fatalf("Close: %v", err)
	}
	return func() { close(unblock); <-left }
}

// A task of a loop that Close has left still waits for the event, and leaves it
// later, from another goroutine. That must not take the waiters of another loop
// along, nor race with them: if the event may be taken over at all.
func TestAbandoned_LateLeaverHarmsNoOtherLoop(t *testing.T) {
	var event asyncio.Event
	release := abandoned(t, event.Wait)
	var refused string
	_ = newBench().Run(t.Context(), func(ctx context.Context) error {
		waiter := asyncio.Go(ctx, func(ctx context.Context) (err error) {
			refused = panicOf(func() { err = event.Wait(ctx) })
			return err
		})
		_ = asyncio.Yield(ctx)
		release()
		if refused != "" {
			return nil
		}
		event.Set()
		if _, err := asyncio.WaitFor(ctx, time.Second, waiter.Await); err != nil {
			t.Errorf("the event is set, and who waits for it got: %v", err)
		}
		return nil
	})
	if refused != "no panic" && !strings.Contains(refused, "Close has left") {
		t.Errorf("Wait: %s", refused)
	}
}
