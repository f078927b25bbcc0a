package asyncio_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// A groupProgram runs groups, groups in groups, whose tasks fail, panic, start
// others, and are cancelled.
type groupProgram struct {
	passive
	open []*openGroup
}

// An openGroup is a Group whose tasks may start others.
type openGroup struct {
	*modelGroup
	g        *asyncio.TaskGroup
	ctx      context.Context
	limit    int
	bodyOver bool
}

func TestSchedules_Group(t *testing.T) { testSchedules(t, newGroupProgram) }

func newGroupProgram(s *schedule) scheduleProgram { return &groupProgram{passive: passive{s}} }

const (
	maxGroupActors = 20 // of a schedule
	maxGroupDepth  = 2  // of groups in groups
)

func (p *groupProgram) step(ctx context.Context, a *actor) { _ = p.group(ctx, a, 0) }

// group runs one group in the task of a, and returns what it panicked with.
func (p *groupProgram) group(ctx context.Context, a *actor, depth int) (panicked any) {
	o := &openGroup{modelGroup: newModelGroup(p.schedule, asGroup, ctx)}
	p.open = append(p.open, o)
	p.note(a.n, "group", depth)
	panicked, err := resultOrPanic(func() error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			o.g, o.ctx = g, ctx
			defer func() { o.bodyOver = true }()
			if p.draw(2) == 1 {
				o.setLimit(1 + p.draw(2))
			}
			for range 1 + p.draw(4) {
				p.inBody(ctx, a, o, depth)
			}
			return o.outcome(ctx, nil)
		})
	})
	p.note(a.n, "group: "+scheduleOutcome(err), depth)
	p.open = slices.DeleteFunc(p.open, func(x *openGroup) bool { return x == o })
	o.mustBeOver()
	o.mustReturn(err, panicked)
	p.check()
	return panicked
}

// inBody is something that the function of a group does.
func (p *groupProgram) inBody(ctx context.Context, a *actor, o *openGroup, depth int) {
	switch p.draw(8) {
	case 0, 1, 2, 3:
		p.start(o, depth)
	case 4, 5:
		a.pause(ctx)
	case 6:
		if len(p.actors) < maxGroupActors {
			a.within(ctx, func(ctx context.Context) { p.startIn(ctx, a, o, depth) })
		}
	case 7:
		if len(o.children) > 0 {
			if c := o.children[p.draw(len(o.children))]; c.handle() != nil {
				a.within(ctx, func(ctx context.Context) { a.awaitTask(ctx, c.actor) })
			}
		}
	}
}

// poke does to a group what anybody may do as long as it has not ended.
func (p *groupProgram) poke() {
	if len(p.open) == 0 {
		return
	}
	o := p.open[p.draw(len(p.open))]
	if o.g == nil || o.bodyOver && !o.alive() {
		return
	}
	switch p.draw(5) {
	case 0:
		p.note(-1, "cancel group", len(o.children))
		o.cancelSelf()
		o.g.Cancel()
	case 1, 2:
		o.setLimit(p.draw(4))
	default:
		p.start(o, maxGroupDepth)
	}
	p.check()
}

// start starts a task in the group.
func (p *groupProgram) start(o *openGroup, depth int) {
	if len(p.actors) >= maxGroupActors {
		return
	}
	c := o.child()
	p.note(c.n, "is started", depth)
	body := func(ctx context.Context) error { return p.child(ctx, o, c, depth, func() {}) }
	if p.oneIn(4) {
		c.task = asyncio.SpawnWith(o.ctx, asyncio.TaskOptions{Group: o.g, Eager: true}, asyncio.Void(body))
	} else {
		c.task = o.g.Go(body)
	}
	p.check()
}

// child is the body of a task in a group.
func (p *groupProgram) child(ctx context.Context, o *openGroup, c *modelChild, depth int, started func()) error {
	o.begins(ctx, c)
	defer c.ends()
	c.pause(ctx)
	if c.starting && c.via.Err() != nil && asyncio.Yield(ctx) == nil && asyncio.Yield(ctx) == nil && ctx.Err() == nil {
		p.fail("#%d goes on, though StartIn was cancelled and has had a turn to see it", c.n)
	}
	if c.starting && p.oneIn(6) {
		p.note(c.n, "cancels its StartIn", 0)
		c.giveUp()
	}
	if c.starting && p.oneIn(4) {
		return o.outcome(ctx, c)
	}
	started()
	c.pause(ctx)
	switch p.draw(4) {
	case 1:
		p.start(o, depth)
	case 2:
		if depth < maxGroupDepth {
			c.within(ctx, func(ctx context.Context) {
				if panicked := p.group(ctx, c.actor, depth+1); panicked != nil && p.draw(2) == 0 {
					o.panics(c, panicked)
				}
			})
		}
	case 3:
		c.pause(ctx)
	}
	return o.outcome(ctx, c)
}

// startIn starts a task in the group and waits until it says that it has started.
func (p *groupProgram) startIn(ctx context.Context, a *actor, o *openGroup, depth int) {
	refused := ctx.Err() != nil
	c := o.child()
	ctx, c.giveUp = asyncio.WithCancel(ctx)
	defer c.giveUp()
	c.starting, c.via = true, ctx
	p.note(a.n, "start in", c.n)
	v, err := asyncio.StartIn(ctx, o.g, func(own context.Context, started func(int)) error {
		return p.child(own, o, c, depth, func() {
			p.note(c.n, "has started", 0)
			started(c.n)
			c.told = true
			c.starting = ctx.Err() != nil // then StartIn is on its way out
		})
	})
	p.note(a.n, "start in: "+scheduleOutcome(err), c.n)
	switch {
	case refused:
		p.mustBeCancelled(ctx, "StartIn", err)
		o.children = slices.DeleteFunc(o.children, func(x *modelChild) bool { return x == c })
		c.ended = true
	case err == nil && (!c.told || v != c.n):
		p.fail("StartIn returned %d; did #%d start? %v", v, c.n, c.told)
	case err != nil && c.began && !c.task.Done():
		p.fail("StartIn returned %v, but its task goes on", err)
	case err == nil || !slices.Contains(o.errs, c.err):
	case errors.Is(err, c.err):
		o.errs = slices.DeleteFunc(o.errs, func(e error) bool { return e == c.err })
	case ctx.Err() == nil:
		p.fail("StartIn returned %v, and its task failed with %v", err, c.err)
	default: // it came to the group at the latest now
		o.cancelSelf()
	}
	c.starting = false
	p.check()
}

// alive reports whether one of the tasks has not ended.
func (o *openGroup) alive() bool {
	return slices.ContainsFunc(o.children, func(c *modelChild) bool { return c.task != nil && !c.task.Done() })
}

func (o *openGroup) setLimit(n int) {
	o.note(-1, "set limit", n)
	if n > 0 && (o.limit == 0 || n < o.limit) {
		for _, c := range o.children { // those that have been let begin are not stopped
			c.exempt = c.exempt || c.task == nil || c.task.State() != asyncio.Created
		}
	}
	o.limit = n
	o.g.SetLimit(n)
}

// begins is told of a task that begins to run.
func (o *openGroup) begins(ctx context.Context, c *modelChild) {
	o.modelGroup.begins(ctx, c)
	running := 0
	for _, other := range o.children {
		if other != c && other.began && !other.ended {
			running++
		}
	}
	if o.limit > 0 && running >= o.limit && !c.exempt {
		o.fail("#%d begins, though %d run and the limit is %d", c.n, running, o.limit)
	}
}

// check looks at who is held back by a limit.
func (p *groupProgram) check() {
	for _, o := range p.open {
		held, let := 0, 0
		for _, c := range o.children {
			switch {
			case c.task == nil && c.starting:
				let = o.limit // one of which nothing is known
			case c.task == nil || c.task.Done():
			case c.task.State() == asyncio.Created:
				held++
			default:
				let++
				if c.began && held > 0 {
					p.fail("#%d has begun before %d that were started earlier", c.n, held)
				}
			}
		}
		if held > 0 && (let < o.limit || o.limit == 0 || o.isCancelled()) {
			p.fail("%d tasks are held back, though only %d may run, and the limit is %d", held, let, o.limit)
		}
	}
}
