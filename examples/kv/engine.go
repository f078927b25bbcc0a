package main

import (
	"time"

	"github.com/asyncio-go/asyncio"
)

// databases is how many there are, as in Redis unless it is told otherwise.
const databases = 16

// limits bound what a client can make the server keep for it.
type limits struct {
	bulk    int // bytes of an argument
	request int // bytes of a request, of a transaction, or of their replies
	unsent  int // bytes that a subscriber leaves unread before it is disconnected
}

var defaultLimits = limits{bulk: 512 << 20, request: 1 << 30, unsent: 32 << 20}

// An engine is all that the clients share. It belongs to one loop, and nothing in
// it awaits: each request is executed in one go, so none of this needs a lock.
type engine struct {
	limits
	clock    func() time.Time
	started  time.Time
	commands map[string]*command
	dbs      [databases]*database
	channels map[string][]*session // in order of subscription
	patterns []subscription
	ready    []readyList
	earlier  asyncio.Event // some key expires before all others that do
	args     [][]byte      // of the request that is executed
	out      reply         // to the client whose turn it is
	lastID   int
	stats    struct{ connections, clients, blocked, requests, expired int }
}

func newEngine(clock func() time.Time, l limits) *engine {
	e := &engine{
		limits: l, clock: clock, started: clock(),
		out:      reply{max: l.request},
		commands: commandTable(),
		channels: map[string][]*session{},
	}
	for i := range e.dbs {
		e.dbs[i] = &database{
			engine: e, number: i,
			watchers: map[string][]*session{}, waiters: map[string][]*waiter{},
		}
	}
	return e
}

// now is in Unix milliseconds, as Redis counts.
func (e *engine) now() int64 { return e.clock().UnixMilli() }

// sweep removes up to n keys that have expired, and says for how long nothing
// else will: forever is negative.
func (e *engine) sweep(n int) (removed int, idle time.Duration) {
	idle = -1
	for _, d := range e.dbs {
		removed += d.sweep(n - removed)
		if len(d.expiring) == 0 {
			continue
		}
		// A key is still there in the very millisecond in which it expires.
		left := time.Duration(d.expiring[0].expires-e.now()+1) * time.Millisecond
		if idle < 0 || left < idle {
			idle = max(left, 0)
		}
	}
	return removed, idle
}
