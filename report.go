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

// report calls the exception handler, and protects the loop from it: if it
// panics, the default handler reports both errors, and if that panics too, for
// a broken Logger, the last word goes to stderr.
func (e *engine) report(ec ExceptionContext) {
	if ec.Created == "" && ec.Task != nil {
		ec.Created = ec.Task.created()
	}
	if ec.Created == "" && ec.Handle != nil {
		ec.Created = ec.Handle.made.String()
	}
	l := e.handle.Value()
	if e.opts.ExceptionHandler == nil || l == nil {
		e.reportDefault(ec)
		return
	}
	defer func() {
		if r := recover(); r != nil {
			e.reportDefault(ExceptionContext{Message: "Unhandled error in exception handler",
				Err: fmt.Errorf("panic: %v\n%s\nwhile it handled: %s: %w", r, debug.Stack(), ec.Message, ec.Err)})
		}
	}()
	e.opts.ExceptionHandler(l, ec)
}

func (e *engine) reportDefault(ec ExceptionContext) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(os.Stderr, "asyncio: Exception in default exception handler: %v\nwhile it handled: %s: %v\n",
				r, ec.Message, ec.Err)
		}
	}()
	ec.log(e.log)
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
		add("exception", ec.Err.Error())
	}
	to.LogAttrs(context.Background(), slog.LevelError, "asyncio: "+message, attrs...)
}

// reportPanic reports what recover returned.
func (e *engine) reportPanic(ec ExceptionContext, value any) {
	pe, ok := value.(*PanicError)
	if !ok {
		pe = &PanicError{Value: value, Stack: debug.Stack(), where: "a callback"}
	}
	ec.Err = pe
	e.report(ec)
}
