package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/asyncio-go/asyncio"
)

// stall blocks a loop on which n tasks sleep, for as long as its watchdog needs
// to report it, and prints when the report came and how late a goroutine that
// has nothing to do with the loop was meanwhile.
func stall(n int) error {
	const threshold, blocked, tick = time.Second, 2500 * time.Millisecond, time.Millisecond
	report := &firstReport{at: make(chan time.Time, 1)}
	r := &asyncio.Runner{Options: asyncio.LoopOptions{
		Logger: slog.New(report), StallThreshold: threshold, ShutdownTimeout: -1,
	}}
	return r.Run(context.Background(), func(ctx context.Context) error {
		for range n {
			asyncio.Go(ctx, sleep)
		}
		if err := asyncio.Yield(ctx); err != nil { // they all fall asleep
			return err
		}
		// A quiet second, in which whatever the creation left behind ends.
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		t := startTicker(tick)
		defer t.stop()
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		before := t.worst()
		start := time.Now()
		time.Sleep(blocked)
		during := t.worst()
		var reported string
		select {
		case at := <-report.at:
			reported = fmt.Sprintf("reported after %.2f s", at.Sub(start).Seconds())
		default:
			reported = "MISSED: no report"
		}
		fmt.Printf("\na step that blocks the loop for %v while %d tasks sleep, threshold %v: %s;\n"+
			"a goroutine that ticks every %v was late by at most %v in the second before, %v meanwhile\n",
			blocked, n, threshold, reported, tick, before, during)
		return nil
	})
}

// firstReport is a log of which only the time of the first entry matters.
type firstReport struct{ at chan time.Time }

func (r *firstReport) Enabled(context.Context, slog.Level) bool { return true }
func (r *firstReport) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *firstReport) WithGroup(string) slog.Handler            { return r }

func (r *firstReport) Handle(context.Context, slog.Record) error {
	select {
	case r.at <- time.Now():
	default:
	}
	return nil
}

// A ticker is a goroutine that wakes again and again and notices how late.
type ticker struct {
	late atomic.Int64
	quit chan struct{}
}

func startTicker(d time.Duration) *ticker {
	t := &ticker{quit: make(chan struct{})}
	go func() {
		for {
			select {
			case <-t.quit:
				return
			default:
			}
			start := time.Now()
			time.Sleep(d)
			if late := int64(time.Since(start) - d); late > t.late.Load() {
				t.late.Store(late)
			}
		}
	}()
	return t
}

// worst is the most it was late since the last call.
func (t *ticker) worst() time.Duration {
	return time.Duration(t.late.Swap(0)).Round(10 * time.Microsecond)
}

func (t *ticker) stop() { close(t.quit) }
