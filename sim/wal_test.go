package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// A counter writes a line to a log before it acknowledges an increment. What it leaves
// out is what a program may forget.
type counter struct {
	disk                  *sim.Disk
	noSync, noDir, noTrim bool

	log   *sim.File
	value int
}

// open reads what was acknowledged, and perhaps more.
func (c *counter) open(ctx context.Context) error {
	f, err := c.disk.Open("wal")
	if errors.Is(err, fs.ErrNotExist) {
		f, err = c.disk.Create("wal")
	}
	if err != nil {
		return err
	}
	text, err := c.disk.ReadFile("wal")
	if err != nil {
		return err
	}
	good := 0
	for line := range strings.SplitAfterSeq(string(text), "\n") {
		if line != fmt.Sprintf("+1 %0600d\n", c.value+1) {
			break // torn by a crash
		}
		c.value++
		good += len(line)
	}
	if !c.noTrim {
		if err := f.Truncate(int64(good)); err != nil {
			return err
		}
	}
	c.log = f
	if !c.noSync { // also what was read may be in the cache alone
		err = f.Sync(ctx)
	}
	if err == nil && !c.noDir {
		err = c.disk.SyncDir(ctx)
	}
	return err
}

func (c *counter) add(ctx context.Context) error {
	if _, err := fmt.Fprintf(c.log, "+1 %0600d\n", c.value+1); err != nil {
		return err
	}
	if !c.noSync {
		if err := c.log.Sync(ctx); err != nil {
			return err
		}
	}
	c.value++
	return nil
}

// counting runs a counter through crashes: it must never be below what it has
// acknowledged.
func counting(variant counter) sim.Func {
	return func(ctx context.Context, w *sim.World) error {
		acknowledged := 0
		var h *sim.Host
		h = w.Host(ctx, "counter", func(ctx context.Context) error {
			c := variant
			c.disk = h.Disk()
			if err := c.open(ctx); err != nil {
				return err
			}
			sim.Always(ctx, c.value >= acknowledged, "what was acknowledged is there")
			for c.value < 20 {
				if err := c.add(ctx); err != nil {
					return err
				}
				acknowledged = c.value
				if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
			}
			return nil
		})
		for range w.Draw(4) {
			if err := asyncio.Sleep(ctx, time.Duration(w.Draw(50))*time.Millisecond); err != nil {
				return err
			}
			h.Restart()
		}
		return h.Wait(ctx)
	}
}

func TestDisk_CounterThatSyncsSurvives(t *testing.T) {
	clean(t, counting(counter{}), sim.Options{Seeds: 2000})
}

func TestDisk_CounterIsFoundBroken(t *testing.T) {
	for name, variant := range map[string]counter{
		"without a sync of the file":       {noSync: true},
		"without a sync of the directory":  {noDir: true},
		"without cutting off what is torn": {noTrim: true},
	} {
		t.Run(name, func(t *testing.T) {
			got := found(t, counting(variant), sim.Options{})
			if got.Kind != sim.KindAssertion || !strings.Contains(strings.Join(got.Log, "; "), "the crash ") {
				t.Errorf("failure is %v", got)
			}
		})
	}
}
