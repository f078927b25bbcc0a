package sim

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/asyncio-go/asyncio"
)

// A Host is a machine of the world: it has a name, by which the others look it up, an
// address, and the tasks that f has started.
type Host struct {
	w      *World
	name   string
	addr   netip.Addr
	cancel context.CancelFunc
	task   *asyncio.Task[struct{}]
}

// hostKey is the key of the host in the contexts of its tasks.
type hostKey struct{}

// Host adds a machine to the world and starts f on it. An error that f returns fails
// the run.
func (w *World) Host(ctx context.Context, name string, f func(ctx context.Context) error) *Host {
	n := len(w.hosts) + 1
	h := &Host{w: w, name: name, addr: netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)})}
	w.hosts = append(w.hosts, h)
	ctx, h.cancel = asyncio.WithCancel(context.WithValue(ctx, hostKey{}, h))
	h.task = asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name}, asyncio.Void(f))
	return h
}

// hostOf is the host that the task of ctx runs on, or nil: the world's own tasks run on
// none.
func hostOf(ctx context.Context) *Host {
	h, _ := ctx.Value(hostKey{}).(*Host)
	return h
}

// String is the host as reports show it.
func (h *Host) String() string { return fmt.Sprintf("%s (%v)", h.name, h.addr) }
