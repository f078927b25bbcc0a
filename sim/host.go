package sim

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/asyncio-go/asyncio"
)

// A Host is a machine of the world: it has a name, by which the others look it up, an
// address, a disk, and the tasks that f has started. Its methods belong to the run's
// loop; but for Wait none of them awaits.
type Host struct {
	w     *World
	name  string
	addr  netip.Addr
	disk  Disk
	f     func(ctx context.Context) error
	ctx   context.Context // under which every life begins
	life  *life           // the present, or while the host is down the last
	ended asyncio.Event   // f has returned
	err   error           // what it returned

	paused bool
	spared bool
	skew   skew
}

// A life is what a host has between a start and a crash. It is in the contexts of its
// tasks.
type life struct {
	h    *Host
	over bool // the host has crashed: its tasks unwind, and nothing they do counts
}

// lifeKey is the key of the life in the contexts of its tasks.
type lifeKey struct{}

// Host adds a machine to the world and starts f on it, as a task below ctx, which must
// outlive the host. The tasks that f starts run on the host too. An error that f returns
// fails the run.
func (w *World) Host(ctx context.Context, name string, f func(ctx context.Context) error) *Host {
	n := len(w.hosts) + 1
	h := &Host{w: w, name: name, addr: netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), f: f, ctx: ctx}
	h.disk.begin(h)
	w.hosts = append(w.hosts, h)
	h.start()
	return h
}

// start begins a life of the host.
func (h *Host) start() {
	l := &life{h: h}
	h.life, h.err = l, nil
	h.ended.Clear()
	asyncio.SpawnWith(context.WithValue(h.ctx, lifeKey{}, l), asyncio.TaskOptions{Name: h.name}, asyncio.Void(h.run))
}

// run is the first task of a life.
func (h *Host) run(ctx context.Context) error {
	err := h.f(ctx)
	h.err = err
	h.ended.Set()
	if err != nil && ctx.Err() == nil {
		h.w.fail(KindError, fmt.Errorf("host %v: %w", h, err))
		return nil
	}
	return err
}

// Name is the name of the host.
func (h *Host) Name() string { return h.name }

// Addr is the address of the host, which it keeps over crashes.
func (h *Host) Addr() netip.Addr { return h.addr }

// Alive reports whether the host is up: it has not crashed, or was started again. A host
// whose f has returned is up, and so is one that is paused.
func (h *Host) Alive() bool { return !h.life.over }

// Spare keeps crashes, pauses and skews of [Options.Faults] off the host: one that only
// drives the others, or watches them.
func (h *Host) Spare() { h.spared = true }

// Wait waits until f has returned, in this life of the host or in one that Restart
// begins, and returns its error. Cancelling ctx ends the wait with an
// [asyncio.CancelledError].
func (h *Host) Wait(ctx context.Context) error {
	if err := h.ended.WaitAs(ctx, h); err != nil {
		return err
	}
	return h.err
}

// Crash ends the host as pulling its plug would. Before anything else runs, its tasks
// are unwound by force: their deferred functions run, but none of their awaits returns,
// and what they do to the host's disk has no effect; a task that crashes its own host
// goes on to its next await. Functions of [asyncio.Blocking] that were under way have run
// to their end. Its connections are reset, at once, or as after a power failure when the
// other side is next heard of. Of what was not synced, the disk keeps what the schedule
// draws: see [Disk]. Plain callbacks, of CallSoon and CallLater, belong to no task and are
// called all the same. A crash of a host that is down does nothing.
func (h *Host) Crash() {
	if !h.Alive() {
		return
	}
	h.w.Logf("%v crashes", h)
	h.Resume()
	h.w.executor.flush(h.life)
	h.life.over = true
	h.w.net.crash(h, h.w.s.draw(2, "the resets after a crash") == 0)
	h.disk.crash()
	h.w.unwind(h.life)
}

// Restart starts f again, after a crash, which it makes if the host is up. The host has
// the name, the address and the disk that it had, and nothing else.
func (h *Host) Restart() {
	h.Crash()
	h.w.Logf("%v starts again", h)
	h.start()
}

// Pause stops the host as SIGSTOP does a process: none of its tasks runs, also none of
// those that become ready meanwhile, nor a function of [asyncio.Blocking]. Packets and
// deadlines arrive and wait. Plain callbacks, of CallSoon and CallLater, belong to no
// task and run on. A pause of a host that is paused or down does nothing.
func (h *Host) Pause() {
	if h.paused || !h.Alive() {
		return
	}
	h.w.Logf("%v is paused", h)
	h.paused = true
	h.w.s.paused = onPausedHost
}

// Resume lets a paused host go on.
func (h *Host) Resume() {
	if !h.paused {
		return
	}
	h.w.Logf("%v goes on", h)
	h.paused = false
	if !slices.ContainsFunc(h.w.hosts, func(h *Host) bool { return h.paused }) {
		h.w.s.paused = nil
	}
	h.w.executor.resume()
}

// String is the host as reports show it.
func (h *Host) String() string { return fmt.Sprintf("%s (%v)", h.name, h.addr) }

// lifeOf is the life of the host that the task of ctx runs on, or nil.
func lifeOf(ctx context.Context) *life {
	l, _ := ctx.Value(lifeKey{}).(*life)
	return l
}

// hostOf is the host that the task of ctx runs on, or nil: the world's own tasks run on
// none.
func hostOf(ctx context.Context) *Host {
	if l := lifeOf(ctx); l != nil {
		return l.h
	}
	return nil
}

func onPausedHost(t asyncio.AnyTask) bool {
	h := hostOf(t.Context())
	return h != nil && h.paused
}

func onDeadHost(t asyncio.AnyTask) bool {
	l := lifeOf(t.Context())
	return l != nil && l.over
}

// running is the life of the task that runs, or nil: it is one of the world's, or a
// callback.
func (w *World) running() *life {
	if t := asyncio.CurrentTask(w.ctx); t != nil {
		return lifeOf(t.Context())
	}
	return nil
}

// unwind ends the tasks of a life. Until they are gone the schedule takes them before
// all others, so that nobody sees a host that is half dead.
func (w *World) unwind(dead *life) {
	w.dying++
	w.s.dying = onDeadHost
	left := true
	w.loop.Unwind(func(t asyncio.AnyTask) bool {
		if lifeOf(t.Context()) != dead {
			return false
		}
		left = true
		return true
	})
	// Callbacks keep their order: this one follows each round of Unwind.
	var round func()
	round = func() {
		if left {
			left = false
			w.loop.CallSoon(round)
		} else if w.dying--; w.dying == 0 {
			w.s.dying = nil
		}
	}
	w.loop.CallSoon(round)
}

// thaw resumes whatever is paused, and names it.
func (w *World) thaw() string {
	var names []string
	for _, h := range w.hosts {
		if h.paused {
			names = append(names, h.String())
			h.Resume()
		}
	}
	return strings.Join(names, ", ")
}
