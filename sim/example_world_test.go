package sim_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// An invariant is checked after every step, so the report says who broke it.
func ExampleWorld_Invariant() {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		seats := 1
		w.Invariant("seats", func() error {
			if seats < 0 {
				return errors.New("overbooked")
			}
			return nil
		})
		book := asyncio.Void(func(ctx context.Context) error {
			if seats == 0 {
				return nil
			}
			err := asyncio.Sleep(ctx, time.Second)
			seats--
			return err
		})
		_, err := asyncio.Gather(ctx, book, book)
		return err
	}, sim.Options{})
	fmt.Println(r.Failure.Kind, "after", r.Failure.At, "-", r.Failure.Err)
	// Output: assertion after 1s - invariant "seats": overbooked
}

// What is not synced is in the cache, and a crash may take it.
func ExampleFile() {
	lost := sim.Explore(func(ctx context.Context, w *sim.World) error {
		h := w.Host(ctx, "h", func(context.Context) error { return nil })
		f, err := h.Disk().Create("log")
		if err != nil {
			return err
		}
		if err := h.Disk().SyncDir(ctx); err != nil { // the name
			return err
		}
		if _, err := f.Write([]byte("paid\n")); err != nil {
			return err
		}
		h.Crash()
		text, err := h.Disk().ReadFile("log")
		if err == nil && string(text) != "paid\n" {
			err = fmt.Errorf("the log is %q", text)
		}
		return err
	}, sim.Options{})
	fmt.Println(lost.Failure.Err)
	// Output: the log is ""
}

// A report shows packets as this.
func ExamplePacket() {
	fmt.Println(sim.Packet{
		Kind: sim.PacketData,
		From: netip.MustParseAddrPort("10.0.0.1:32768"),
		To:   netip.MustParseAddrPort("10.0.0.2:80"),
		Data: []byte("hello\n"),
	})
	// Output: DATA 10.0.0.1:32768 -> 10.0.0.2:80, 6 bytes
}

// One strategy alone.
func ExampleStrategy() {
	r := sim.Explore(shifts, sim.Options{Strategies: []sim.Strategy{sim.POS}})
	fmt.Println(r.Failure.Strategy, r.Failure.Err)
	// Output: pos there is 1 in the till
}

// What a campaign has done.
func ExampleReport() {
	r := sim.Explore(fable, sim.Options{Seeds: 50, Jobs: 1})
	fmt.Println(r.Schedules, "schedules with", r.Choices, "choices")
	// Output: 50 schedules with 50 choices
}

// How a run has failed.
func ExampleKind() {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		var never asyncio.Event
		return never.Wait(ctx)
	}, sim.Options{})
	fmt.Println(r.Failure.Kind == sim.KindDeadlock)
	// Output: true
}
