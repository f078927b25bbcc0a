package goker

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// makeChan makes a channel that buffers so many values.
func makeChan[T any](size int) *channel[T] { return &channel[T]{size: size} }

// A channel is a chan T. On one that is nil everybody waits for ever.
type channel[T any] struct {
	size      int
	values    []T
	closed    bool
	senders   []*party[T] // that wait, in order of arrival
	receivers []*party[T]
}

// A party is a case of a selection that waits.
type party[T any] struct {
	*selection
	at    int // the number of the case
	value *T  // to send, or where to put what is received; may be nil
	ok    *bool
}

// Send waits until v is received or buffered. It panics if the channel is closed.
func (c *channel[T]) Send(ctx context.Context, v T) { choose(ctx, send(c, v)) }

// Recv waits for a value; ok is false if the channel is closed and has none.
func (c *channel[T]) Recv(ctx context.Context) (v T, ok bool) {
	choose(ctx, &receiving[T]{c, &v, &ok})
	return v, ok
}

// All receives until the channel is closed.
func (c *channel[T]) All(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			if v, ok := c.Recv(ctx); !ok || !yield(v) {
				return
			}
		}
	}
}

// Close wakes whoever waits: receivers get a zero value, senders panic. It panics if the
// channel is closed.
func (c *channel[T]) Close(ctx context.Context) {
	step(ctx)
	c.close()
}

// Len is how many values are buffered.
func (c *channel[T]) Len() int { return len(c.values) }

func (c *channel[T]) close() {
	if c.closed {
		panic("close of closed channel")
	}
	c.closed = true
	for _, p := range c.senders {
		p.refused = p.chosen < 0
	}
	for _, p := range slices.Concat(c.receivers, c.senders) {
		p.wake(p.at)
	}
	c.receivers, c.senders = nil, nil
}

// trySend reports whether v could be sent at once.
func (c *channel[T]) trySend(v T) bool {
	if c.closed {
		panic("send on closed channel")
	}
	if p := next(&c.receivers); p != nil {
		p.take(v)
		return true
	}
	if len(c.values) < c.size {
		c.values = append(c.values, v)
		return true
	}
	return false
}

// tryRecv reports whether something could be received at once, be it the end.
func (c *channel[T]) tryRecv() (v T, ok, done bool) {
	if len(c.values) > 0 {
		v, c.values = c.values[0], c.values[1:]
		if p := next(&c.senders); p != nil {
			c.values = append(c.values, p.give())
		}
		return v, true, true
	}
	if p := next(&c.senders); p != nil {
		return p.give(), true, true
	}
	return v, false, c.closed
}

func (p *party[T]) take(v T) {
	if p.value != nil {
		*p.value = v
	}
	if p.ok != nil {
		*p.ok = true
	}
	p.wake(p.at)
}

func (p *party[T]) give() T {
	p.wake(p.at)
	return *p.value
}

// next takes the first party whose selection has not been decided.
func next[T any](ps *[]*party[T]) *party[T] {
	for len(*ps) > 0 {
		p := (*ps)[0]
		*ps = (*ps)[1:]
		if p.chosen < 0 {
			return p
		}
	}
	return nil
}

// A choice is a case of a select statement.
type choice interface {
	ready() bool                 // it need not wait
	run()                        // it is ready
	enlist(s *selection, at int) // it waits
	withdraw(s *selection)       // it waits no longer
}

// send is the case that sends v.
func send[T any](c *channel[T], v T) choice { return &sending[T]{c, v} }

// recv is the case that receives into v, which may be nil.
func recv[T any](c *channel[T], v *T) choice { return &receiving[T]{c, v, nil} }

type sending[T any] struct {
	c *channel[T]
	v T
}

func (x *sending[T]) ready() bool {
	c := x.c
	return c != nil && (c.closed || len(c.values) < c.size || waits(c.receivers))
}

func (x *sending[T]) run() { x.c.trySend(x.v) }

func (x *sending[T]) enlist(s *selection, at int) {
	if x.c != nil {
		x.c.senders = append(x.c.senders, &party[T]{s, at, &x.v, nil})
	}
}

func (x *sending[T]) withdraw(s *selection) {
	if x.c != nil {
		x.c.senders = without(x.c.senders, s)
	}
}

type receiving[T any] struct {
	c  *channel[T]
	v  *T
	ok *bool
}

func (x *receiving[T]) ready() bool {
	c := x.c
	return c != nil && (c.closed || len(c.values) > 0 || waits(c.senders))
}

func (x *receiving[T]) run() {
	v, ok, _ := x.c.tryRecv()
	if x.v != nil {
		*x.v = v
	}
	if x.ok != nil {
		*x.ok = ok
	}
}

func (x *receiving[T]) enlist(s *selection, at int) {
	if x.c != nil {
		x.c.receivers = append(x.c.receivers, &party[T]{s, at, x.v, x.ok})
	}
}

func (x *receiving[T]) withdraw(s *selection) {
	if x.c != nil {
		x.c.receivers = without(x.c.receivers, s)
	}
}

func without[T any](ps []*party[T], s *selection) []*party[T] {
	return slices.DeleteFunc(ps, func(p *party[T]) bool { return p.selection == s })
}

// waits reports whether one of the parties still waits.
func waits[T any](ps []*party[T]) bool {
	return slices.ContainsFunc(ps, func(p *party[T]) bool { return p.chosen < 0 })
}

// A selection is a select statement that waits.
type selection struct {
	chosen  int  // the number of the case, or -1
	refused bool // it is to send, and the channel was closed
	cases   int
	woken   asyncio.Event
}

func (s *selection) wake(at int) {
	if s.chosen < 0 {
		s.chosen = at
		s.woken.Set()
	}
}

// String is what reports show.
func (s *selection) String() string {
	if s.cases == 1 {
		return "a channel"
	}
	return fmt.Sprintf("one of %d channels", s.cases)
}

// choose is a select statement: it waits until a case can go on, has it do so, and
// returns its number. Which one of several that can belongs to the schedule.
func choose(ctx context.Context, cases ...choice) int {
	if i := chooseNow(ctx, cases...); i >= 0 {
		return i
	}
	s := &selection{chosen: -1, cases: len(cases)}
	for i, c := range cases {
		c.enlist(s, i)
	}
	must(s.woken.WaitAs(ctx, s))
	for _, c := range cases {
		c.withdraw(s)
	}
	if s.refused {
		panic("send on closed channel")
	}
	return s.chosen
}

// chooseNow is a select statement with a default, for which it returns -1.
func chooseNow(ctx context.Context, cases ...choice) int {
	step(ctx)
	var ready []int
	for i, c := range cases {
		if c.ready() {
			ready = append(ready, i)
		}
	}
	if len(ready) == 0 {
		return -1
	}
	i := ready[0]
	if len(ready) > 1 {
		i = ready[sim.From(ctx).Draw(len(ready))]
	}
	cases[i].run()
	return i
}
