package sim_test

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// A connection survives a partition that does not last: what was written in it arrives
// when it heals.
func ExampleNetwork_Partition() {
	var got string
	var after time.Duration
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		var up asyncio.Event
		server := w.Host(ctx, "server", func(ctx context.Context) error {
			l, err := aionet.Listen(ctx, "tcp", ":80")
			if err != nil {
				return err
			}
			up.Set()
			c, err := l.Accept(ctx)
			if err != nil {
				return err
			}
			line, err := c.ReadLine()
			got, after = string(line), w.Now().Round(time.Second)
			return err
		})
		if err := up.Wait(ctx); err != nil {
			return err
		}
		c, err := aionet.Dial(ctx, "tcp", "server:80")
		if err != nil {
			return err
		}
		w.Net().Partition([]*sim.Host{server}, nil)
		if _, err := c.Write([]byte("hello\n")); err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		w.Net().Heal()
		return asyncio.Sleep(ctx, time.Minute)
	}, sim.Options{Seeds: 1})
	fmt.Println(got, after, r.Failure)
	// Output: hello 1m42s <nil>
}

// A rule decides on each packet.
func ExampleDelay() {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		w.Net().Rule(func(p sim.Packet) sim.Verdict {
			switch {
			case p.Kind == sim.PacketSYN && w.Chance(10):
				return sim.Drop
			case p.Kind == sim.PacketData:
				return sim.Delay(time.Second)
			}
			return sim.Deliver
		})
		return nil // the program goes here
	}, sim.Options{Seeds: 1})
	fmt.Println(r.Failure)
	// Output: <nil>
}
