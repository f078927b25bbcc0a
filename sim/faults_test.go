package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

func TestFaults_HaveNames(t *testing.T) {
	for f, want := range map[sim.Faults]string{
		0: "none", sim.FaultCrash | sim.FaultDisk: "crash, disk", sim.FaultPause | 1<<15: "pause, 0x8000",
	} {
		if got := f.String(); got != want {
			t.Errorf("%d is %q, want %q", uint16(f), got, want)
		}
	}
}

// A witness is a host that notes what happens to it, every millisecond.
type witness struct {
	h      *sim.Host
	starts int
	beats  []time.Duration // on the world's clock
	skewed bool
	failed bool // a sync of its disk
}

func newWitness(ctx context.Context, w *sim.World, name string) *witness {
	x := &witness{}
	x.h = w.Host(ctx, name, func(ctx context.Context) error {
		x.starts++
		for {
			x.beats = append(x.beats, w.Now())
			x.skewed = x.skewed || now(ctx).Sub(midnight) != w.Now()
			x.failed = x.failed || x.h.Disk().SyncDir(ctx) != nil && ctx.Err() == nil
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
		}
	})
	return x
}

// paused reports whether there was a gap without a crash.
func (x *witness) paused() bool {
	for i := range x.beats[1:] {
		if x.starts == 1 && x.beats[i+1]-x.beats[i] > 130*time.Millisecond {
			return true
		}
	}
	return false
}

// seen are the faults that the witnesses have noted.
func seen(all []*witness) (f sim.Faults) {
	for _, x := range all {
		if x.starts > 1 {
			f |= sim.FaultCrash
		}
		if x.skewed {
			f |= sim.FaultSkew
		}
		if x.failed {
			f |= sim.FaultDisk
		}
		if x.paused() {
			f |= sim.FaultPause
		}
	}
	return f
}

func TestFaults_AreThoseThatAreAllowed(t *testing.T) {
	const hostFaults = sim.FaultCrash | sim.FaultPause | sim.FaultSkew | sim.FaultDisk
	for _, allowed := range []sim.Faults{0, sim.FaultCrash, sim.FaultPause, sim.FaultSkew, sim.FaultDisk, hostFaults} {
		t.Run(allowed.String(), func(t *testing.T) {
			subsets := map[sim.Faults]bool{}
			clean(t, func(ctx context.Context, w *sim.World) error {
				all := []*witness{newWitness(ctx, w, "a"), newWitness(ctx, w, "b")}
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					return err
				}
				got := seen(all)
				subsets[got] = true
				if got&^allowed != 0 {
					return fmt.Errorf("there was %v, but only %v is allowed", got, allowed)
				}
				return nil
			}, sim.Options{Seeds: 100, Faults: allowed, Jobs: 1})
			want := 2
			switch allowed {
			case 0:
				want = 1
			case hostFaults:
				want = 9 // of 16
			}
			if len(subsets) < want {
				t.Errorf("only %d combinations came about, want %d: %v", len(subsets), want, subsets)
			}
		})
	}
}

func TestFaults_QuietHealsEverything(t *testing.T) {
	clean(t, func(ctx context.Context, w *sim.World) error {
		all := []*witness{newWitness(ctx, w, "a"), newWitness(ctx, w, "b"), newWitness(ctx, w, "c")}
		if err := asyncio.Sleep(ctx, time.Duration(w.Draw(300))*time.Millisecond); err != nil {
			return err
		}
		down := slices.ContainsFunc(all, func(x *witness) bool { return !x.h.Alive() })
		sim.Sometimes(ctx, down, "a host is down")
		w.Quiet()
		w.Quiet() // which does nothing
		quiet := w.Now()
		for _, x := range all {
			x.starts, x.beats, x.skewed, x.failed = 0, nil, false, false
		}
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		for _, x := range all {
			if len(x.beats) == 0 || x.starts > 1 || x.skewed || x.failed || x.beats[0] > quiet+130*time.Millisecond {
				return fmt.Errorf("%v: after Quiet at %v %d starts, skewed %v, failed %v, it ran at %v",
					x.h, quiet, x.starts, x.skewed, x.failed, x.beats)
			}
		}
		return nil
	}, sim.Options{Seeds: 100, Faults: sim.AllFaults})
}

// Also without Quiet the faults end.
func TestFaults_EndOfThemselves(t *testing.T) {
	clean(t, func(ctx context.Context, w *sim.World) error {
		var done asyncio.Event
		h := w.Host(ctx, "a", done.Wait)
		starts := 0
		b := w.Host(ctx, "b", func(ctx context.Context) error {
			starts++
			return done.Wait(ctx)
		})
		if err := asyncio.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		before := starts
		if !h.Alive() || !b.Alive() {
			return errors.New("an hour later a host is down")
		}
		if err := asyncio.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		sim.Sometimes(ctx, starts > 1, "it has crashed")
		if starts != before {
			return errors.New("two hours later a host crashed")
		}
		done.Set()
		return errors.Join(h.Wait(ctx), b.Wait(ctx))
	}, sim.Options{Seeds: 300, Faults: sim.AllFaults})
}

func TestFaults_SpareAHost(t *testing.T) {
	clean(t, func(ctx context.Context, w *sim.World) error {
		spared, other := newWitness(ctx, w, "spared"), newWitness(ctx, w, "other")
		spared.h.Spare()
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		sim.Sometimes(ctx, other.starts > 1, "the other crashes")
		if spared.starts > 1 || spared.skewed || spared.paused() {
			return errors.New("the host was not spared")
		}
		return nil
	}, sim.Options{Seeds: 100, Faults: sim.FaultCrash | sim.FaultPause | sim.FaultSkew})
}

// The report of a program that does not survive a restart tells of one crash, and of
// nothing that does not matter.
func TestFaults_AreShrunkToThoseThatMatter(t *testing.T) {
	got := found(t, func(ctx context.Context, w *sim.World) error {
		started := false
		h := w.Host(ctx, "server", func(ctx context.Context) error {
			if started {
				return errors.New("the address is in use")
			}
			started = true
			return asyncio.Sleep(ctx, time.Second)
		})
		w.Host(ctx, "other", func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Second) })
		return h.Wait(ctx)
	}, sim.Options{Faults: sim.AllFaults})
	log := strings.Join(got.Log, "\n")
	if strings.Count(log, "crashes") != 1 || !strings.Contains(log, "faults: crash, in units of 10ms") || strings.Contains(log, "paused") {
		t.Errorf("the log is\n%s", log)
	}
	if len(got.Deviations) > 3 {
		t.Errorf("%d deviations are left: %v", len(got.Deviations), got.Deviations)
	}
}

// A seed has the same faults whenever it is run, and however many run at a time.
func TestFaults_AreTheSameEveryTime(t *testing.T) {
	story := func(seed uint64) (beats string) {
		r := clean(t, func(ctx context.Context, w *sim.World) error {
			all := []*witness{newWitness(ctx, w, "a"), newWitness(ctx, w, "b")}
			err := asyncio.Sleep(ctx, 300*time.Millisecond)
			beats = fmt.Sprint(all[0].beats, all[1].beats)
			return err
		}, sim.Options{Seed: seed, Seeds: 1, Faults: sim.AllFaults})
		return fmt.Sprint(beats, r.Steps, r.Choices)
	}
	different := map[string]bool{}
	for seed := range uint64(30) {
		first := story(seed)
		different[first] = true
		if again := story(seed); again != first {
			t.Fatalf("seed %d: %s\nand then %s", seed, first, again)
		}
	}
	if len(different) < 20 {
		t.Errorf("30 seeds have made only %d stories", len(different))
	}
}
