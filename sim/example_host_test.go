package sim_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// A host that crashes loses what it has in memory, and starts again.
func ExampleHost() {
	var story string
	sim.Explore(func(ctx context.Context, w *sim.World) error {
		story = "" // of the last run
		server := w.Host(ctx, "server", func(ctx context.Context) error {
			uptime := 0
			defer func() { story += fmt.Sprintf("%v: ends after %d s\n", w.Now(), uptime) }()
			for ; uptime < 5; uptime++ {
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					return err
				}
			}
			return nil
		})
		if err := asyncio.Sleep(ctx, 2500*time.Millisecond); err != nil {
			return err
		}
		server.Crash()
		if err := asyncio.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		server.Restart()
		return server.Wait(ctx)
	}, sim.Options{Seeds: 1})
	fmt.Print(story)
	// Output:
	// 2.5s: ends after 2 s
	// 1m7.5s: ends after 5 s
}

// A file that replaces another must be synced before it gets the name: a crash may keep
// the name and lose what was written.
func ExampleDisk() {
	replace := func(ctx context.Context, d *sim.Disk, content string, sync bool) error {
		f, err := d.Create("config.new")
		if err != nil {
			return err
		}
		if _, err := f.Write([]byte(content)); err != nil {
			return err
		}
		if sync {
			if err := f.Sync(ctx); err != nil {
				return err
			}
		}
		if err := d.Rename("config.new", "config"); err != nil {
			return err
		}
		return d.SyncDir(ctx)
	}
	for _, sync := range []bool{false, true} {
		report := sim.Explore(func(ctx context.Context, w *sim.World) error {
			var h *sim.Host
			h = w.Host(ctx, "h", func(ctx context.Context) error {
				return errors.Join(replace(ctx, h.Disk(), "old", true), replace(ctx, h.Disk(), "new", sync))
			})
			if err := h.Wait(ctx); err != nil {
				return err
			}
			h.Crash()
			if got, _ := h.Disk().ReadFile("config"); string(got) != "new" {
				return fmt.Errorf("config is %q", got)
			}
			return nil
		}, sim.Options{})
		if report.Failure == nil {
			fmt.Printf("sync %v: right\n", sync)
		} else {
			fmt.Printf("sync %v: %v\n", sync, report.Failure.Err)
		}
	}
	// Output:
	// sync false: config is ""
	// sync true: right
}

// Two servers agree on a time at which something happens, and their clocks do not.
func ExampleClock_Skew() {
	var story string
	sim.Explore(func(ctx context.Context, w *sim.World) error {
		story = "" // of the last run
		midnight := w.Clock().Now().Add(24 * time.Hour)
		wait := func(ctx context.Context) error {
			ctx, cancel := asyncio.WithDeadline(ctx, midnight)
			defer cancel()
			_ = asyncio.Sleep(ctx, 48*time.Hour)
			story += fmt.Sprintln("for", asyncio.CurrentTask(ctx).Name(), "midnight is at", w.Now())
			return nil
		}
		a, b := w.Host(ctx, "a", wait), w.Host(ctx, "b", wait)
		w.Clock().Skew(b, time.Minute)
		return errors.Join(a.Wait(ctx), b.Wait(ctx))
	}, sim.Options{Seeds: 1})
	fmt.Print(story)
	// Output:
	// for b midnight is at 23h59m0s
	// for a midnight is at 24h0m0s
}

// A campaign injects faults of its own, other ones under each seed.
func ExampleFaults() {
	report := sim.Explore(func(ctx context.Context, w *sim.World) error {
		jobs := 0 // in memory, not on the disk
		worker := w.Host(ctx, "worker", func(ctx context.Context) error {
			jobs = 0
			for range 10 {
				if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil {
					return err
				}
				jobs++
			}
			return nil
		})
		if err := asyncio.Sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
		w.Quiet()
		if jobs < 10 {
			return fmt.Errorf("200 ms later only some of 10 jobs are done")
		}
		return worker.Wait(ctx)
	}, sim.Options{Faults: sim.FaultCrash})
	fmt.Println(report.Failure.Err)
	// Output: 200 ms later only some of 10 jobs are done
}
