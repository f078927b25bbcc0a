package goker

import (
	"context"

	"github.com/asyncio-go/asyncio"
)

// A mutex is a sync.Mutex. Only the task that has locked it may unlock it.
type mutex struct{ lock asyncio.Lock }

// Lock waits until the task holds the mutex.
func (m *mutex) Lock(ctx context.Context) {
	step(ctx)
	must(m.lock.Acquire(ctx))
}

// Unlock gives the mutex to who has waited longest.
func (m *mutex) Unlock() { m.lock.Release() }

// A locker is what a cond waits with.
type locker interface {
	Lock(ctx context.Context)
	Unlock()
}

// An rwMutex is a sync.RWMutex: a writer that waits holds up the readers that come after
// it, and those go before the next writer.
type rwMutex struct {
	writer   asyncio.Lock // of who writes, or waits for the readers to leave
	writing  bool         // a writer has come to writer
	readers  int          // that hold the mutex
	waiting  int          // readers that wait for the writer
	drained  *asyncio.Event
	released *asyncio.Event
}

// RLock waits until no writer holds the mutex or waits for it.
func (m *rwMutex) RLock(ctx context.Context) {
	step(ctx)
	if !m.writing {
		m.readers++
		return
	}
	m.waiting++
	must(m.released.WaitAs(ctx, waitFor("RLock"))) // the writer has counted it then
}

// RUnlock lets a writer in if this was the last reader.
func (m *rwMutex) RUnlock() {
	m.readers--
	if m.readers == 0 && m.writing {
		m.drained.Set()
	}
}

// Lock waits until nobody else holds the mutex.
func (m *rwMutex) Lock(ctx context.Context) {
	step(ctx)
	must(m.writer.Acquire(ctx))
	m.writing = true
	m.drained, m.released = &asyncio.Event{}, &asyncio.Event{}
	if m.readers > 0 {
		must(m.drained.WaitAs(ctx, waitFor("Lock")))
	}
}

// Unlock lets in the readers that have waited, and then the next writer.
func (m *rwMutex) Unlock() {
	m.writing = false
	m.readers, m.waiting = m.waiting, 0
	m.released.Set()
	m.writer.Release()
}

// RLocker is the mutex with RLock and RUnlock for Lock and Unlock.
func (m *rwMutex) RLocker() locker { return (*rLocker)(m) }

type rLocker rwMutex

func (m *rLocker) Lock(ctx context.Context) { (*rwMutex)(m).RLock(ctx) }
func (m *rLocker) Unlock()                  { (*rwMutex)(m).RUnlock() }

// A waitGroup is a sync.WaitGroup.
type waitGroup struct {
	count int
	zero  *asyncio.Event
}

// Add adds n, which may be negative, to what is waited for.
func (w *waitGroup) Add(n int) {
	w.count += n
	switch {
	case w.count < 0:
		panic("negative WaitGroup counter")
	case w.count == 0 && w.zero != nil:
		w.zero.Set()
		w.zero = nil
	}
}

// Done is Add(-1).
func (w *waitGroup) Done() { w.Add(-1) }

// Wait waits until the count is zero.
func (w *waitGroup) Wait(ctx context.Context) {
	step(ctx)
	if w.count == 0 {
		return
	}
	if w.zero == nil {
		w.zero = &asyncio.Event{}
	}
	must(w.zero.WaitAs(ctx, waitFor("WaitGroup")))
}

// A cond is a sync.Cond: it may be signalled without its lock.
type cond struct {
	L       locker
	waiting []*asyncio.Event
}

// Wait unlocks L, waits for a signal and locks L again.
func (c *cond) Wait(ctx context.Context) {
	woken := &asyncio.Event{}
	c.waiting = append(c.waiting, woken)
	c.L.Unlock()
	must(woken.WaitAs(ctx, waitFor("Cond")))
	c.L.Lock(ctx)
}

// Signal wakes the task that has waited longest, if there is one.
func (c *cond) Signal(ctx context.Context) {
	step(ctx)
	if len(c.waiting) > 0 {
		c.waiting[0].Set()
		c.waiting = c.waiting[1:]
	}
}

// Broadcast wakes all that wait.
func (c *cond) Broadcast(ctx context.Context) {
	step(ctx)
	for _, woken := range c.waiting {
		woken.Set()
	}
	c.waiting = nil
}

// A once is a sync.Once: those who come while its function runs wait for that.
type once struct {
	m    mutex
	done bool
}

// Do calls f, the first time.
func (o *once) Do(ctx context.Context, f func()) {
	if o.done {
		return
	}
	o.m.Lock(ctx)
	defer o.m.Unlock()
	if !o.done {
		defer func() { o.done = true }()
		f()
	}
}

// waitFor names what a task waits for in reports.
type waitFor string

func (w waitFor) String() string { return string(w) }
