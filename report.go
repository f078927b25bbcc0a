package asyncio

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
)

// An ExceptionContext is an error that nobody else can be told: of a callback,
// of a task that nobody awaited, of the shutdown. Message says which and always
// begins with the same words, so that it can be searched for; the other fields
// are set where they apply.
type ExceptionContext struct {
	Message string
	Err     error
	Task    AnyTask
	Handle  *Handle
	Object  string // a task, future or generator that may be gone, as text
	Created string // where it was created, and by which task; in debug mode the chain of spawners
}

// Report hands an error that nobody else can be told to the exception handler, or logs
// it: for packages that run functions of others. It must be called on the loop. It is
// asyncio's call_exception_handler.
func (l *Loop) Report(ec ExceptionContext) {
	l.e.mustNotRace("Loop.Report")
	l.e.report(ec)
}

// report calls the exception handler, and protects the loop from it: if it
// panics, the default handler reports both errors, and if that panics too, for
// a broken Logger, the last word goes to stderr.
func (e *engine) report(ec ExceptionContext) {
	if ec.Created == "" && ec.Task != nil {
		ec.Created = ec.Task.created()
	}
	if ec.Created == "" && ec.Handle != nil {
		ec.Created = ec.Handle.made().String()
	}
	l := e.handle.Value()
	if e.opts.ExceptionHandler == nil || l == nil {
		e.reportDefault(ec)
		return
	}
	e.given.Store(true) // the handler may keep it
	cur := e.cur
	e.cur = nil // the handler is a plain callback, whatever task it hears of
	defer func() {
		e.cur = cur
		if r := recover(); r != nil {
			e.reportDefault(ExceptionContext{Message: "Unhandled error in exception handler",
				Err: fmt.Errorf("panic: %v\n%s\nwhile it handled: %s: %w", r, debug.Stack(), ec.Message, ec.Err)})
		}
	}()
	e.opts.ExceptionHandler(l, ec)
}

func (e *engine) reportDefault(ec ExceptionContext) { ec.log(e.log) }

// A guardedHandler keeps a Logger that panics from ending the process: much is
// logged on goroutines where nobody could recover.
type guardedHandler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (g guardedHandler) Handle(ctx context.Context, r slog.Record) error {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "asyncio: Exception in default exception handler: %v\nwhile it handled: %s\n", p, r.Message)
		}
	}()
	return g.Handler.Handle(ctx, r)
}

// log writes the report as one record of level ERROR.
func (ec ExceptionContext) log(to *slog.Logger) {
	message := ec.Message
	if message == "" {
		message = "Unhandled exception in event loop"
	}
	var attrs []slog.Attr
	add := func(key, text string) {
		if text != "" {
			attrs = append(attrs, slog.String(key, text))
		}
	}
	if ec.Task != nil {
		add("task", ec.Task.String())
	}
	if ec.Handle != nil {
		add("handle", ec.Handle.String())
	}
	add("object", ec.Object)
	add("created", ec.Created)
	if ec.Err != nil {
		add("exception", errText(ec.Err))
	}
	to.LogAttrs(context.Background(), slog.LevelError, "asyncio: "+message, attrs...)
}

// reportPanic reports what recover returned.
func (e *engine) reportPanic(ec ExceptionContext, value any) {
	pe, _ := value.(*PanicError)
	if pe == nil {
		pe = &PanicError{Value: value, Stack: debug.Stack(), where: "a callback"}
	}
	ec.Err = pe
	e.report(ec)
}
