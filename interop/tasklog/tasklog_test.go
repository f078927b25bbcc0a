package tasklog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/slogtest"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/tasklog"
)

func TestMain(m *testing.M) { check.Run(m) }

// lines logs with a Handler and returns what was logged, without times.
func lines(t *testing.T, f func(ctx context.Context, log *slog.Logger) error) string {
	t.Helper()
	var out bytes.Buffer
	text := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}})
	log := slog.New(tasklog.Handler{Handler: text})
	_, err := asyncio.Run(t.Context(), asyncio.Void(func(ctx context.Context) error { return f(ctx, log) }))
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	return out.String()
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("logged:\n%swant:\n%s", got, want)
	}
}

func TestHandler_NamesTheTask(t *testing.T) {
	got := lines(t, func(ctx context.Context, log *slog.Logger) error {
		log.InfoContext(ctx, "main", "n", 1)
		child := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "import"}, asyncio.Void(func(ctx context.Context) error {
			log.With("a", 1).InfoContext(ctx, "child")
			return asyncio.Timeout(ctx, 1e9, func(ctx context.Context) error {
				log.InfoContext(ctx, "in a bracket")
				return nil
			})
		}))
		_, err := child.Await(ctx)
		return err
	})
	want(t, got, "msg=main n=1 task=Task-1\nmsg=child a=1 task=import\nmsg=\"in a bracket\" task=import\n")
}

// Elsewhere there is no running task: Named passes the name on, and nothing panics.
func TestHandler_OffTheLoop(t *testing.T) {
	got := lines(t, func(ctx context.Context, log *slog.Logger) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		_, err = asyncio.Blocking(ctx, func(ctx context.Context) (int, error) {
			log.InfoContext(ctx, "in Blocking")
			return 0, nil
		})
		_, err2 := asyncio.Blocking(tasklog.Named(ctx), func(ctx context.Context) (int, error) {
			log.InfoContext(ctx, "in Blocking, named")
			return 0, nil
		})
		log.Info("without a ctx")
		var other sync.WaitGroup
		other.Go(func() {
			log.InfoContext(ctx, "on a goroutine")
			log.InfoContext(context.Background(), "on a goroutine, without a loop")
		})
		other.Wait()
		called := asyncio.NewFuture[int](ctx)
		loop.CallSoon(func() { log.InfoContext(ctx, "in a callback"); called.SetResult(0) })
		if _, err := called.Await(ctx); err != nil {
			return err
		}
		if err != nil {
			return err
		}
		return err2
	})
	want(t, got, "msg=\"in Blocking\"\nmsg=\"in Blocking, named\" task=Task-1\nmsg=\"without a ctx\"\n"+
		"msg=\"on a goroutine\"\nmsg=\"on a goroutine, without a loop\"\nmsg=\"in a callback\"\n")
}

// In a task that is spawned under a named ctx, the running task counts.
func TestNamed_DoesNotHideTheRunningTask(t *testing.T) {
	got := lines(t, func(ctx context.Context, log *slog.Logger) error {
		child := asyncio.Go(tasklog.Named(ctx), func(ctx context.Context) error {
			log.InfoContext(ctx, "child")
			return nil
		})
		_, err := child.Await(ctx)
		return err
	})
	want(t, got, "msg=child task=Task-1-1\n")
}

func TestHandler_IsASlogHandler(t *testing.T) {
	var out bytes.Buffer
	results := func() (all []map[string]any) {
		for d := json.NewDecoder(&out); ; {
			m := map[string]any{}
			if err := d.Decode(&m); err == io.EOF {
				return all
			} else if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
	}
	if err := slogtest.TestHandler(tasklog.Handler{Handler: slog.NewJSONHandler(&out, nil)}, results); err != nil {
		t.Error(err)
	}
}
