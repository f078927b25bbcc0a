package call_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/call"
	"github.com/asyncio-go/asyncio/interop/internal/check"
)

func TestMain(m *testing.M) { check.Run(m) }

type key struct{}

func TestTask_HasTheCallersContext(t *testing.T) {
	loop, log, closeLoop := check.Loop(t)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "v"))
	refused := errors.New("refused")
	if v, err := call.Task(ctx, loop, func(ctx context.Context) (any, error) {
		if asyncio.CurrentTask(ctx) == nil || context.Cause(ctx) != nil {
			t.Error("the context is not of a task, or cancelled")
		}
		return ctx.Value(key{}), refused
	}); v != "v" || err != refused {
		t.Errorf("Task: %v, %v", v, err)
	}
	_, err := call.Task(ctx, loop, func(ctx context.Context) (int, error) {
		cancel(cause)
		return 0, asyncio.Sleep(ctx, time.Hour)
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}
	closeLoop()
	if log.Text() != "" {
		t.Error(log.Text())
	}
}

func TestTask_Fails(t *testing.T) {
	loop, _, closeLoop := check.Loop(t)
	_, err := call.Task(t.Context(), loop, func(context.Context) (int, error) { panic("no") })
	if _, ok := errors.AsType[*asyncio.PanicError](err); !ok {
		t.Errorf("a panic: %v", err)
	}
	closeLoop()
	_, err = call.Task(t.Context(), loop, func(context.Context) (int, error) { return 0, nil })
	if !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("a closed loop: %v", err)
	}
}
