// Package tasklog adds the name of the task to what log/slog logs.
package tasklog

import (
	"context"
	"log/slog"

	"github.com/asyncio-go/asyncio"
)

// A Handler adds the attribute "task" to records that are logged with the ctx of a
// task: slog.InfoContext and the like. Elsewhere it adds nothing. It is safe to
// use from any goroutine.
//
//	slog.SetDefault(slog.New(tasklog.Handler{slog.NewTextHandler(os.Stderr, nil)}))
type Handler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h Handler) Handle(ctx context.Context, r slog.Record) error {
	if name := taskName(ctx); name != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("task", name))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return Handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h Handler) WithGroup(name string) slog.Handler { return Handler{h.Handler.WithGroup(name)} }

// named is the name of a task, for where the task does not run.
var named asyncio.Var[string]

// Named is ctx with the name of the running task, for what the task has others do:
//
//	asyncio.Blocking(tasklog.Named(ctx), f)
func Named(ctx context.Context) context.Context {
	return named.With(ctx, asyncio.CurrentTask(ctx).Name())
}

func taskName(ctx context.Context) string {
	if t := asyncio.CurrentTask(ctx); t != nil {
		return t.Name()
	}
	name, _ := named.Value(ctx)
	return name
}
