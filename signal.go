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
// signal ends the process at once. An error is printed to stderr and makes the
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

func runUnderSignals(main func(ctx context.Context) error, pc uintptr) (status int) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	stop := make(chan struct{})
	defer close(stop)
	defer signal.Stop(signals)
	go func() {
		select {
		case s := <-signals:
			cancel(&SignalError{s})
		case <-stop:
			return
		}
		select {
		case s := <-signals:
			fmt.Fprintf(os.Stderr, "asyncio: %v again, exiting at once\n", s)
			os.Exit(signalStatus(s))
		case <-stop:
		}
	}()
	t := &Task[struct{}]{plain: main}
	_, err := runOn(ctx, &Runner{}, t, pc)
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

// signalStatus is the exit status that shells give to a process that a signal
// has ended.
func signalStatus(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 1
}
