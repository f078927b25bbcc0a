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
	spare   [][]byte        // buffers that no connection uses
	dirty   []*link         // connections with something to flush at the end of the turn
	flush   func()          // flushes them; made once
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
	h.flush = h.flushAll
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
	// bufferSize is that of a buffer when it is taken; it may grow.
	bufferSize = 4 << 10
	// maxSpare bounds how many buffers, and maxSpareSize how large ones, are kept.
	maxSpare     = 64
	maxSpareSize = 64 << 10
)

// take is an empty buffer.
func (h *hub) take() []byte {
	n := len(h.spare)
	if n == 0 {
		return make([]byte, 0, bufferSize)
	}
	b := h.spare[n-1]
	h.spare[n-1] = nil
	h.spare = h.spare[:n-1]
	return b
}

// give takes a buffer back that nobody uses any more.
func (h *hub) give(b []byte) {
	if len(h.spare) < maxSpare && cap(b) > 0 && cap(b) <= maxSpareSize {
		h.spare = append(h.spare, b[:0])
	}
}

// flushSoon has k flushed at the end of this turn.
func (h *hub) flushSoon(k *link) {
	if k.out.dirty {
		return
	}
	k.out.dirty = true
	h.dirty = append(h.dirty, k)
	if len(h.dirty) == 1 {
		h.loop.CallSoon(h.flush)
	}
}

func (h *hub) flushAll() {
	for i, k := range h.dirty {
		h.dirty[i] = nil
		k.out.dirty = false
		k.flush()
	}
	h.dirty = h.dirty[:0]
}
