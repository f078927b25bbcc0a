package aionet

import (
	"context"
	"runtime"
	"sync"
	"weak"

	"github.com/asyncio-go/asyncio"
)

// A hub is what the connections of a loop share. It belongs to the loop.
type hub struct {
	loop    *asyncio.Loop
	network Network
	ctx     context.Context // some context of the loop: it tells whether a task runs, and is obeyed by nobody
	small   [][]byte        // buffers that no connection uses
	large   [][]byte
	dirty   []*link         // connections with something to flush at the end of the turn
	flush   *asyncio.Handle // of flushAll; nil before the first
}

// hubs has the hub of each loop that uses the network.
var hubs struct {
	sync.Mutex
	of map[weak.Pointer[asyncio.Loop]]weak.Pointer[hub]
}

// hubOf is the hub of the running loop.
func hubOf(ctx context.Context) (*hub, error) {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return nil, err
	}
	hubs.Lock()
	defer hubs.Unlock()
	key := weak.Make(l)
	if h := hubs.of[key].Value(); h != nil {
		return h, nil
	}
	h := &hub{loop: l, network: networkOf(l), ctx: context.WithoutCancel(ctx)}
	if hubs.of == nil {
		hubs.of = map[weak.Pointer[asyncio.Loop]]weak.Pointer[hub]{}
	}
	if _, known := hubs.of[key]; !known {
		runtime.AddCleanup(l, forgetHub, key)
	}
	hubs.of[key] = weak.Make(h)
	return h, nil
}

func forgetHub(key weak.Pointer[asyncio.Loop]) {
	hubs.Lock()
	defer hubs.Unlock()
	delete(hubs.of, key)
}

const (
	smallBuffer = 4 << 10  // of a connection with little to say, and of most
	largeBuffer = 64 << 10 // of one that has filled a small one
	// maxSpare bounds how many buffers of each size are kept, and maxSpareSize how
	// large ones.
	maxSpare     = 32
	maxSpareSize = 4 * largeBuffer
)

// take is an empty buffer of one of the two sizes, or a larger one.
func (h *hub) take(large bool) []byte {
	spare, size := &h.small, smallBuffer
	if large {
		spare, size = &h.large, largeBuffer
	}
	n := len(*spare)
	if n == 0 {
		return make([]byte, 0, size)
	}
	b := (*spare)[n-1]
	(*spare)[n-1] = nil
	*spare = (*spare)[:n-1]
	return b
}

// give takes a buffer back that nobody uses any more.
func (h *hub) give(b []byte) {
	spare := &h.small
	if cap(b) >= largeBuffer {
		spare = &h.large
	}
	if len(*spare) < maxSpare && cap(b) >= smallBuffer && cap(b) <= maxSpareSize {
		*spare = append(*spare, b[:0])
	}
}

// flushSoon has k flushed at the end of this turn.
func (h *hub) flushSoon(k *link) {
	if k.dirty {
		return
	}
	k.dirty = true
	h.dirty = append(h.dirty, k)
	// Made only now: a hub may be collected between two connections, and another one
	// must cost a simulated loop no step.
	if h.flush == nil {
		h.flush = h.loop.CallSoon(h.flushAll)
	} else {
		h.flush.Again() // unless it is scheduled already
	}
}

func (h *hub) flushAll() {
	for i, k := range h.dirty {
		if k == nil { // a Network has panicked in the flush before
			continue
		}
		h.dirty[i] = nil
		k.dirty = false
		k.flush()
	}
	h.dirty = h.dirty[:0]
}
