package asyncio_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// A queueProgram puts values into a queue and gets them. A value is a priority in
// its hundreds of thousands and, below, the number of the put: all are different.
type queueProgram struct {
	passive
	real       *asyncio.Queue[int]
	kind, max  int
	items      []int // in the order in which they come out
	getters    modelLine
	putters    modelLine
	joiners    modelLine
	unfinished int
	working    int // values that were taken and are not done
	shut       bool

	// Beside the model, what came of each value.
	puts int
	in   map[int]bool // those whose put succeeded
	out  map[int]bool // those that were taken or dropped
}

const (
	fifoOrder = iota
	lifoOrder
	priorityOrder
)

func TestSchedules_Queue(t *testing.T) { testSchedules(t, newQueueProgram(fifoOrder)) }

func TestSchedules_LifoQueue(t *testing.T) { testSchedules(t, newQueueProgram(lifoOrder)) }

func TestSchedules_PriorityQueue(t *testing.T) { testSchedules(t, newQueueProgram(priorityOrder)) }

func newQueueProgram(kind int) func(s *schedule) scheduleProgram {
	return func(s *schedule) scheduleProgram {
		p := &queueProgram{passive: passive{s}, kind: kind, max: s.draw(4), in: map[int]bool{}, out: map[int]bool{}}
		switch kind {
		case fifoOrder:
			p.real = asyncio.NewQueue[int](p.max)
		case lifoOrder:
			p.real = &asyncio.NewLifoQueue[int](p.max).Queue
		case priorityOrder:
			p.real = &asyncio.NewPriorityQueue(p.max, func(a, b int) bool { return priorityOf(a) < priorityOf(b) }).Queue
		}
		return p
	}
}

func priorityOf(v int) int { return v / 100_000 }

func (p *queueProgram) step(ctx context.Context, a *actor) {
	switch kind := p.draw(16); {
	case kind < 5:
		p.put(ctx, a)
	case kind < 10:
		p.get(ctx, a)
	case kind == 10:
		p.join(ctx, a)
	case kind == 11:
		p.all(ctx, a)
	case kind < 15:
		p.poke()
	case p.oneIn(3):
		p.shutdown()
	}
}

// poke is what needs no task.
func (p *queueProgram) poke() {
	switch p.draw(4) {
	case 0:
		p.tryPut()
	case 1:
		p.tryGet()
	default:
		p.taskDone()
	}
	p.check()
}

func (p *queueProgram) value() int {
	p.puts++
	return p.draw(3)*100_000 + p.puts
}

func (p *queueProgram) put(ctx context.Context, a *actor) {
	v := p.value()
	a.await(ctx, "put", v, func(w *modelWait) {
		if !p.full() || p.shut {
			w.settle(p.store(v))
			return
		}
		w.v = v
		p.putters.push(w)
	}, func(*modelWait) error {
		err := p.real.Put(ctx, v)
		if (err == nil) != p.in[v] {
			p.fail("#%d: Put(%d) returned %v, and is it in? %v", a.n, v, err, p.in[v])
		}
		return err
	})
}

func (p *queueProgram) tryPut() {
	v := p.value()
	want := asyncio.ErrQueueFull
	if !p.full() || p.shut {
		want = p.store(v)
	}
	p.note(-1, "try put: "+scheduleOutcome(want), v)
	if err := p.real.TryPut(v); !errors.Is(err, want) {
		p.fail("TryPut(%d) returned %v, want %v", v, err, want)
	}
}

func (p *queueProgram) full() bool { return p.max > 0 && len(p.items) >= p.max }

// store is the model's part of a put that does not wait.
func (p *queueProgram) store(v int) error {
	if p.shut {
		return asyncio.ErrQueueShutDown
	}
	p.enter(v)
	if w := p.getters.grant(); w != nil {
		w.v = p.take()
	}
	return nil
}

// enter adds v where it belongs.
func (p *queueProgram) enter(v int) {
	p.in[v] = true
	p.unfinished++
	i := len(p.items)
	switch p.kind {
	case lifoOrder:
		i = 0
	case priorityOrder:
		i, _ = slices.BinarySearchFunc(p.items, priorityOf(v)+1, func(x, prio int) int { return cmp.Compare(priorityOf(x), prio) })
	}
	p.items = slices.Insert(p.items, i, v)
}

// take is the model's part of a get that does not wait: who waits to put fills
// the gap.
func (p *queueProgram) take() int {
	v := p.items[0]
	p.items = p.items[1:]
	p.leaves(v)
	p.working++
	if w := p.putters.grant(); w != nil {
		p.enter(w.v)
	}
	return v
}

func (p *queueProgram) leaves(v int) {
	if p.out[v] || !p.in[v] {
		p.fail("the value %d is taken a second time, or was never put", v)
	}
	p.out[v] = true
}

// want is the model's part of a Get.
func (p *queueProgram) want(w *modelWait) {
	switch {
	case len(p.items) > 0:
		w.v = p.take()
		w.settle(nil)
	case p.shut:
		w.settle(asyncio.ErrQueueShutDown)
	default:
		p.getters.push(w)
	}
}

func (p *queueProgram) get(ctx context.Context, a *actor) {
	a.await(ctx, "get", len(p.items), p.want, func(w *modelWait) error {
		v, err := p.real.Get(ctx)
		if v != w.v || err == nil && !p.out[v] {
			p.fail("#%d: Get returned %d, want %d", a.n, v, w.v)
		}
		return err
	})
}

func (p *queueProgram) tryGet() {
	var want int
	var wantErr error
	switch {
	case len(p.items) > 0:
		want = p.take()
	case p.shut:
		wantErr = asyncio.ErrQueueShutDown
	default:
		wantErr = asyncio.ErrQueueEmpty
	}
	p.note(-1, "try get: "+scheduleOutcome(wantErr), want)
	if v, err := p.real.TryGet(); v != want || !errors.Is(err, wantErr) {
		p.fail("TryGet returned %d, %v, want %d, %v", v, err, want, wantErr)
	}
}

// all takes values with a range over the queue, which is one Get after another.
func (p *queueProgram) all(ctx context.Context, a *actor) {
	w := a.begin(ctx, "next", len(p.items), p.want)
	for v, err := range p.real.All(ctx) {
		a.end(w, err)
		if v != w.v {
			p.fail("#%d: All yields %d, want %d", a.n, v, w.v)
		}
		if err != nil || p.draw(3) == 0 {
			return
		}
		a.pause(ctx)
		w = a.begin(ctx, "next", len(p.items), p.want)
	}
	a.end(w, asyncio.ErrQueueShutDown) // it ends without an error
}

func (p *queueProgram) taskDone() {
	if p.working == 0 {
		return
	}
	p.note(-1, "task done", p.unfinished)
	p.working--
	p.finished(1)
	p.real.TaskDone()
}

func (p *queueProgram) finished(n int) {
	if p.unfinished -= n; p.unfinished == 0 {
		p.joiners.grantAll()
	}
}

func (p *queueProgram) join(ctx context.Context, a *actor) {
	a.await(ctx, "join", p.unfinished, func(w *modelWait) {
		if p.unfinished == 0 {
			w.settle(nil)
		} else {
			p.joiners.push(w)
		}
	}, func(*modelWait) error { return p.real.Join(ctx) })
}

func (p *queueProgram) shutdown() {
	immediate := p.draw(2)
	p.note(-1, "shut down", immediate)
	p.shut = true
	if immediate == 1 {
		for _, v := range p.items {
			p.leaves(v)
		}
		p.finished(len(p.items))
		p.items = nil
	}
	p.getters.failAll(asyncio.ErrQueueShutDown)
	p.putters.failAll(asyncio.ErrQueueShutDown)
	p.real.Shutdown(immediate == 1)
	p.check()
}

// finish takes and does whatever is there, and shuts the queue down.
func (p *queueProgram) finish(context.Context) {
	if !p.shut {
		p.shutdown()
	}
	for len(p.items) > 0 {
		p.tryGet()
	}
	for p.working > 0 {
		p.taskDone()
	}
	p.check()
}

func (p *queueProgram) check() {
	getters, putters, joiners := p.getters.len(), p.putters.len(), p.joiners.len()
	if got := p.real.String(); countIn(got, "getters") != getters || countIn(got, "putters") != putters ||
		countIn(got, "unfinished") != p.unfinished || p.real.Len() != len(p.items) {
		p.fail("the queue is %s, want %d values, %d unfinished, and %d and %d to wait", got,
			len(p.items), p.unfinished, getters, putters)
	}
	switch {
	case getters > 0 && (len(p.items) > 0 || p.shut),
		putters > 0 && (!p.full() || p.shut),
		joiners > 0 && p.unfinished == 0:
		p.fail("%d wait to get, %d to put and %d to join at %s", getters, putters, joiners, p.real)
	}
	if len(p.in) != len(p.out)+len(p.items) {
		p.fail("%d values came in, %d out, and %d are there", len(p.in), len(p.out), len(p.items))
	}
}
