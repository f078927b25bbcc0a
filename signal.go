package asyncio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// Main is the entry of a program: it runs main with [Run] and ends the process
// as a program should end.
//
// SIGINT and SIGTERM cancel main, with a [SignalError] as the cause; a second
// signal ends the process at once. A task that listens for one of them with
// [Signals] has it instead. An error is printed to stderr and makes the
// exit status 1, or 128 and the signal's number if a signal was the cause. If
// main returns nil, Main returns. A panic leaves it as from any function.
//
//go:noinline
func Main(main func(ctx context.Context) error) {
	mustFunc(main != nil, "Main")
	if status := runUnderSignals(main, gid.CallerPC()); status != 0 {
		os.Exit(status)
	}
}

// handled are the signals that cancel main.
var handled = []os.Signal{os.Interrupt, syscall.SIGTERM}

func runUnderSignals(main func(ctx context.Context) error, pc uintptr) (status int) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	in := &intake{arrived: make(chan os.Signal, maxKept)}
	signal.Notify(in.arrived, handled...)
	stop := make(chan struct{})
	defer close(stop)
	defer signal.Stop(in.arrived)
	go in.handle(cancel, stop)
	t := &Task[struct{}]{plain: main}
	_, err := runOn(ctx, &Runner{intake: in}, t, pc)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	var se *SignalError
	// An error that is only some cancellation is the signal's if that came first.
	c := t.scope.state.Load()
	if errors.As(err, &se) || errors.Is(err, context.Canceled) && c != nil && errors.As(c.cause, &se) {
		return signalStatus(se.Signal)
	}
	return 1
}

// handle does what the signals ask for, until stopped.
func (in *intake) handle(cancel context.CancelCauseFunc, stop <-chan struct{}) {
	for cancelled := false; ; {
		select {
		case s := <-in.arrived:
			switch {
			case cancelled:
				fmt.Fprintf(os.Stderr, "asyncio: %v again, exiting at once\n", s)
				os.Exit(signalStatus(s))
			case !in.passOn(s):
				cancelled = true
				cancel(&SignalError{s})
			}
		case <-stop:
			return
		}
	}
}

// signalStatus is the exit status that shells give to a process that a signal
// has ended.
func signalStatus(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 1
}
