package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/asyncio-go/asyncio"
)

// sleepingTask is the most that a sleeping task may take, in bytes.
const sleepingTask = 3.25 * 1024

// unwatched runs main on a loop that may be busy for long.
func unwatched(main func(ctx context.Context) error) error {
	r := &asyncio.Runner{
		Debug:   asyncio.DebugOff,
		Options: asyncio.LoopOptions{StallThreshold: -1, ShutdownTimeout: -1},
	}
	return r.Run(context.Background(), main)
}

// tasks measures tasks that sleep, until they are cancelled.
func tasks(n int) error {
	return unwatched(func(ctx context.Context) error {
		all := make([]*asyncio.Task[struct{}], n)
		scope, cancel := asyncio.WithCancel(ctx)
		defer cancel()
		m := begin("sleeping task", n)
		for i := range all {
			all[i] = asyncio.Go(scope, sleep)
		}
		if err := asyncio.Yield(ctx); err != nil { // they all fall asleep
			return err
		}
		m.created()
		m.weigh()
		began := time.Now()
		cancel()
		for _, t := range all {
			if _, err := t.Await(ctx); !errors.Is(err, context.Canceled) {
				return err
			}
		}
		m.end = time.Since(began)
		m.write(sleepingTask)
		return nil
	})
}

func sleep(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }

// timers measures timers that are started and cancelled.
func timers(n int) error {
	return unwatched(func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		all := make([]*asyncio.Handle, n)
		m := begin("CallLater timer", n)
		for i := range all {
			all[i] = l.CallLater(time.Hour, nothing)
		}
		m.created()
		m.weigh()
		began := time.Now()
		for _, h := range all {
			h.Cancel()
		}
		m.end = time.Since(began)
		m.write(0)
		return nil
	})
}

func nothing() {}

// goroutines measures goroutines in time.Sleep. Nothing cancels those, so they
// sleep until all have been started, and a little longer.
func goroutines(n int) error {
	const settle = 2 * time.Second
	d := settle + time.Duration(n)*10*time.Microsecond
	start := time.Now()
	var wg sync.WaitGroup
	m := begin("goroutine in time.Sleep", n)
	for range n {
		wg.Go(func() { time.Sleep(d - time.Since(start)) })
	}
	m.created()
	time.Sleep(settle / 2) // they all fall asleep
	m.weigh()
	wg.Wait() // which takes as long as they sleep, and tells nothing
	m.write(0)
	return nil
}
