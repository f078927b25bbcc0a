package spans_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/spans"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestMain(m *testing.M) { check.Run(m) }

// traced runs main and returns the spans by name.
func traced(t *testing.T, main func(ctx context.Context, tracer trace.Tracer) error) map[string]tracetest.SpanStub {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	tracer := provider.Tracer("test")
	_, err := asyncio.Run(t.Context(), spans.Traced(tracer, "main", asyncio.Void(func(ctx context.Context) error {
		return main(ctx, tracer)
	})))
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	all := map[string]tracetest.SpanStub{}
	for _, s := range exporter.GetSpans() {
		all[s.Name] = s
	}
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	return all
}

func wantBelow(t *testing.T, all map[string]tracetest.SpanStub, child, parent string) {
	t.Helper()
	c, p := all[child], all[parent]
	if !c.SpanContext.IsValid() || c.Parent.SpanID() != p.SpanContext.SpanID() || c.SpanContext.TraceID() != p.SpanContext.TraceID() {
		t.Errorf("%s is not below %s", child, parent)
	}
}

func TestTraced_SpansFollowTheTasks(t *testing.T) {
	all := traced(t, func(ctx context.Context, tracer trace.Tracer) error {
		query := spans.Traced(tracer, "query", func(ctx context.Context) (int, error) {
			_, inner := tracer.Start(ctx, "inside Blocking")
			inner.End()
			return 1, nil
		})
		load := spans.Traced(tracer, "load", func(ctx context.Context) (int, error) {
			err := asyncio.Timeout(ctx, time.Hour, func(ctx context.Context) error { // brackets keep the span
				_, inner := tracer.Start(ctx, "inside a bracket")
				inner.End()
				return asyncio.Sleep(ctx, time.Millisecond)
			})
			if err != nil {
				return 0, err
			}
			return asyncio.Blocking(ctx, query)
		})
		task := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "loader"}, load)
		other := asyncio.Spawn(ctx, spans.Traced(tracer, "other", asyncio.Void(asyncio.Yield))) // in between
		if _, err := other.Await(ctx); err != nil {
			return err
		}
		_, err := task.Await(ctx)
		return err
	})
	wantBelow(t, all, "load", "main")
	wantBelow(t, all, "other", "main")
	wantBelow(t, all, "inside a bracket", "load")
	wantBelow(t, all, "query", "load")
	wantBelow(t, all, "inside Blocking", "query")
	if a := all["load"].Attributes; len(a) != 1 || a[0].Value.AsString() != "loader" {
		t.Errorf("load has the attributes %v", a)
	}
	if a := all["query"].Attributes; len(a) != 0 {
		t.Errorf("query, which ran in no task, has the attributes %v", a)
	}
}

func TestTraced_RecordsHowItEnds(t *testing.T) {
	refused := errors.New("refused")
	all := traced(t, func(ctx context.Context, tracer trace.Tracer) error {
		_, err := spans.Traced(tracer, "fails", func(ctx context.Context) (int, error) { return 0, refused })(ctx)
		if err != refused {
			t.Errorf("the error became %v", err)
		}
		err = asyncio.Timeout(ctx, time.Millisecond, func(ctx context.Context) error {
			_, err := spans.Traced(tracer, "cancelled", func(ctx context.Context) (int, error) {
				return 0, asyncio.Sleep(ctx, time.Hour)
			})(ctx)
			return err
		})
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("Timeout: %v", err)
		}
		defer func() { _ = recover() }()
		_, _ = spans.Traced(tracer, "panics", func(ctx context.Context) (int, error) { panic("no") })(ctx)
		return nil
	})
	for name, events := range map[string]int{"fails": 1, "cancelled": 1, "panics": 1} {
		s, ok := all[name]
		if !ok || len(s.Events) != events || name != "panics" && s.Status.Code != codes.Error {
			t.Errorf("%s: %t, %v %v", name, ok, s.Status, s.Events)
		}
	}
}
