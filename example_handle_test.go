package asyncio_test

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asyncio-go/asyncio"
)

func ExampleHandle_Cancel() {
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}})
	defer loop.Close()
	alarm := loop.CallLater(time.Hour, func() { fmt.Println("not printed") })
	stop := loop.CallLater(2*time.Hour, loop.Stop)
	fmt.Println("in time:", alarm.Cancel())
	fmt.Println(loop.RunForever())
	fmt.Println("in time:", stop.Cancel())
	// Output:
	// in time: true
	// <nil>
	// in time: false
}

func ExampleHandle_Cancelled() {
	loop := asyncio.NewLoop(nil)
	defer loop.Close()
	save := loop.CallLater(time.Minute, func() {})
	fmt.Println(save.Cancelled())
	save.Cancel()
	fmt.Println(save.Cancelled())
	// Output:
	// false
	// true
}

func ExampleHandle_When() {
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Clock: &asyncio.ManualClock{}})
	defer loop.Close()
	alarm := loop.CallLater(7*time.Hour, func() {})
	fmt.Println(alarm.When().Format(time.Kitchen))
	// Output: 7:00AM
}

// A closed loop runs no callback, and says so.
func ExampleHandle_Err() {
	loop := asyncio.NewLoop(&asyncio.LoopOptions{Logger: slog.New(slog.DiscardHandler)})
	fmt.Println(loop.Close())
	late := loop.CallSoon(func() {})
	fmt.Println(late.Cancelled(), errors.Is(late.Err(), asyncio.ErrLoopClosed))
	// Output:
	// <nil>
	// true true
}
