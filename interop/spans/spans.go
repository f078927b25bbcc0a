// Package spans traces the functions of tasks with OpenTelemetry.
//
// A span travels in the ctx, so nothing is needed for it to survive an await, Spawn
// or Blocking: the ctx that tracer.Start returns has the span and is still a scope
// of the loop. This package adds the span around a function.
package spans

import (
	"context"

	"github.com/asyncio-go/asyncio"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Traced is f in a span of its own, below that of the ctx it is called with:
//
//	asyncio.Spawn(ctx, spans.Traced(tracer, "load", load))
//	asyncio.Blocking(ctx, spans.Traced(tracer, "query", query))
//
// The span ends when f does, also by a panic, has the name of the task that runs,
// if one does, and the error of f. It may be called from any goroutine, with a ctx
// of a loop.
func Traced[T any](tracer trace.Tracer, name string, f func(ctx context.Context) (T, error)) func(ctx context.Context) (T, error) {
	return func(ctx context.Context) (v T, err error) {
		ctx, span := tracer.Start(ctx, name)
		defer span.End() // records a panic that passes
		if t := asyncio.CurrentTask(ctx); t != nil {
			span.SetAttributes(attribute.String("asyncio.task", t.Name()))
		}
		v, err = f(ctx)
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, err.Error())
		}
		return v, err
	}
}
