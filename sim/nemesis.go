package sim

import (
	"context"
	"slices"
	"time"

	"github.com/asyncio-go/asyncio"
)

// faults are those of a run.
type faults struct {
	on     Faults
	pace   time.Duration
	stop   context.CancelFunc
	broken []*damage // in the order in which it was done
}

// A damage is what a fault has broken.
type damage struct{ heal func() }

// A strike breaks something and returns what heals it, or nil if there was nothing to
// break.
type strike func(w *World) (heal func())

// paces are the units of time of the faults of a run: programs live at different speeds.
var paces = [...]time.Duration{10 * time.Millisecond, time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second}

// maxStrikes is how often a fault comes at most.
const maxStrikes = 5

// beginFaults draws the faults of the run and starts them.
func (w *World) beginFaults() {
	x := &w.faults
	for i := range kinds {
		if w.campaign.o.Faults&(1<<i) != 0 && w.s.draw(2, "the faults of this run") == 1 {
			x.on |= 1 << i
		}
	}
	if x.on == 0 {
		return
	}
	x.pace = paces[w.s.draw(len(paces), "how often faults come")]
	w.Logf("faults: %v, in units of %v", x.on, x.pace)
	var ctx context.Context
	ctx, x.stop = asyncio.WithCancel(w.ctx)
	// From a callback, so that the tasks of the program are numbered as without faults.
	w.loop.CallSoon(func() {
		for i, k := range kinds {
			if x.on&(1<<i) != 0 && k.strike != nil {
				asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "fault: " + k.name}, asyncio.Void(w.nemesis(k.strike)))
			}
		}
	})
}

// nemesis is the task of one kind of fault.
func (w *World) nemesis(strike strike) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for range maxStrikes {
			if err := asyncio.Sleep(ctx, w.span()); err != nil {
				return err
			}
			if w.faults.on == 0 { // Quiet came when the sleep was over already
				return nil
			}
			if w.s.draw(2, "whether a fault comes now") == 0 {
				continue
			}
			heal := strike(w)
			if heal == nil {
				continue
			}
			d := &damage{heal}
			w.faults.broken = append(w.faults.broken, d)
			if err := asyncio.Sleep(ctx, w.span()); err != nil {
				return err
			}
			w.faults.heal(d)
		}
		return nil
	}
}

// span is a while.
func (w *World) span() time.Duration {
	return w.faults.pace * time.Duration(1+w.s.draw(10, "when a fault comes or goes"))
}

// heal heals a damage, once.
func (x *faults) heal(d *damage) {
	if i := slices.Index(x.broken, d); i >= 0 {
		x.broken = slices.Delete(x.broken, i, i+1)
		d.heal()
	}
}

// Quiet ends the faults of [Options.Faults] and heals what they have broken, at once:
// hosts that are down start again, those that are paused go on, clocks go right, and the
// network is as it was. What the program should come to when it is left alone can be
// checked after that.
func (w *World) Quiet() {
	x := &w.faults
	if x.on == 0 {
		return
	}
	w.Logf("faults: no more")
	x.on = 0
	x.stop()
	for len(x.broken) > 0 {
		x.heal(x.broken[0])
	}
}

// victims draws one host, or now and then all, of those for which it holds.
func (w *World) victims(eligible func(h *Host) bool) []*Host {
	var all []*Host
	for _, h := range w.hosts {
		if !h.spared && eligible(h) {
			all = append(all, h)
		}
	}
	if len(all) < 2 {
		return all
	}
	if i := w.s.draw(len(all)+1, "the host that a fault hits"); i < len(all) {
		return all[i : i+1]
	}
	return all
}

func (w *World) strikeCrash() (heal func()) {
	down := w.victims((*Host).Alive)
	if len(down) == 0 {
		return nil
	}
	lives := make([]*life, len(down))
	for i, h := range down {
		lives[i] = h.life
		h.Crash()
	}
	return func() {
		for i, h := range down {
			if h.life == lives[i] { // nobody else has started it
				h.Restart()
			}
		}
	}
}

func (w *World) strikePause() (heal func()) {
	stopped := w.victims(func(h *Host) bool { return h.Alive() && !h.paused })
	if len(stopped) == 0 {
		return nil
	}
	for _, h := range stopped {
		h.Pause()
	}
	return func() {
		for _, h := range stopped {
			h.Resume()
		}
	}
}

// offsets are how far clocks jump, ahead or back.
var offsets = [...]time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second, time.Hour}

// drifts are how fast they go, in millionths.
var drifts = [...]int{0, 500, -500, 100_000, -100_000}

func (w *World) strikeSkew() (heal func()) {
	odd := w.victims(func(*Host) bool { return true })
	if len(odd) == 0 {
		return nil
	}
	before := make([]skew, len(odd))
	for i, h := range odd {
		before[i] = h.skew
		offset := offsets[w.s.draw(len(offsets), "the skew of a clock")]
		if w.s.draw(2, "the sign of a skew") == 1 {
			offset = -offset
		}
		w.clock.Skew(h, h.skew.ahead+offset)
		w.clock.Drift(h, drifts[w.s.draw(len(drifts), "the drift of a clock")])
		w.Logf("the clock of %v jumps by %v and drifts by %d millionths", h, offset, h.skew.ppm)
	}
	return func() {
		for i, h := range odd {
			h.skew = before[i]
			w.Logf("the clock of %v goes right", h)
		}
	}
}
