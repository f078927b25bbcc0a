package asyncio_test

import (
	"context"
	"errors"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// A gatherProgram runs functions together with Gather, First and Settle, also in
// one another.
type gatherProgram struct{ passive }

func TestSchedules_Gather(t *testing.T) { testSchedules(t, newGatherProgram) }

func newGatherProgram(s *schedule) scheduleProgram { return &gatherProgram{passive{s}} }

func (p *gatherProgram) step(ctx context.Context, a *actor) { _ = p.together(ctx, a, 0) }

// together runs some functions in one of the three ways, and returns what that
// panicked with.
func (p *gatherProgram) together(ctx context.Context, a *actor, depth int) (panicked any) {
	m := newModelGroup(p.schedule, asGather+groupKind(p.draw(3)), ctx)
	refused := ctx.Err() != nil
	var fs []func(ctx context.Context) (int, error)
	for range p.draw(5) {
		if len(p.actors) < maxGroupActors {
			c := m.child()
			fs = append(fs, func(ctx context.Context) (int, error) { return p.child(ctx, m, c, depth) })
		}
	}
	p.note(a.n, "together", int(m.kind))
	var v int
	var values []int
	var results []asyncio.Result[int]
	panicked, err := resultOrPanic(func() (err error) {
		switch m.kind {
		case asGather:
			values, err = asyncio.Gather(ctx, fs...)
		case asFirst:
			v, err = asyncio.First(ctx, fs...)
		case asSettle:
			results = asyncio.Settle(ctx, fs...)
		}
		return err
	})
	p.note(a.n, "together: "+scheduleOutcome(err), v)
	m.mustBeOver()
	switch {
	case refused:
		m.mustBeRefused(err, results)
	case m.kind == asSettle:
		m.mustSettle(results, panicked)
	case m.won != nil && m.panicked == nil:
		if err != nil || panicked != nil || v != m.won.n {
			p.fail("First returned %d, %v, and panicked with %v, want %d", v, err, panicked, m.won.n)
		}
	case m.kind == asFirst && len(fs) == 0:
		if err == nil {
			p.fail("First of nothing returned no error")
		}
	default:
		m.mustReturn(err, panicked)
		m.mustHaveValues(values, err, panicked)
	}
	return panicked
}

// child is one of the functions.
func (p *gatherProgram) child(ctx context.Context, m *modelGroup, c *modelChild, depth int) (int, error) {
	m.begins(ctx, c)
	defer c.ends()
	c.pause(ctx)
	if depth < maxGroupDepth && p.oneIn(3) {
		c.within(ctx, func(ctx context.Context) {
			if panicked := p.together(ctx, c.actor, depth+1); panicked != nil {
				m.panics(c, panicked)
			}
		})
	}
	c.pause(ctx)
	return c.n, m.outcome(ctx, c)
}

func (m *modelGroup) mustBeRefused(err error, results []asyncio.Result[int]) {
	for i, c := range m.children {
		if c.began {
			m.fail("#%d has begun under a cancelled context", c.n)
		}
		if m.kind == asSettle {
			err = results[i].Err
		}
	}
	if m.kind != asSettle || len(m.children) > 0 {
		m.mustBeCancelled(m.outer, "running functions together", err)
	}
}

// mustHaveValues fails unless a Gather without an error has all values.
func (m *modelGroup) mustHaveValues(values []int, err error, panicked any) {
	if m.kind != asGather || err != nil || panicked != nil {
		return
	}
	if len(values) != len(m.children) {
		m.fail("Gather of %d returned %v", len(m.children), values)
		return
	}
	for i, c := range m.children {
		if values[i] != c.n || c.err != nil {
			m.fail("Gather returned %v, but #%d with %v", values, c.n, c.err)
		}
	}
}

// mustSettle fails unless each result is what its function returned.
func (m *modelGroup) mustSettle(results []asyncio.Result[int], panicked any) {
	if m.panicked != nil || panicked != nil {
		m.errs = nil
		m.mustReturn(nil, panicked)
		return
	}
	if len(results) != len(m.children) {
		m.fail("Settle of %d returned %v", len(m.children), results)
		return
	}
	for i, c := range m.children {
		r := results[i]
		switch {
		case !c.began:
			m.mustBeCancelled(m.outer, "a function that did not begin", r.Err)
		case r.Value != c.n || !errors.Is(r.Err, c.err):
			m.fail("Settle has %v, and #%d returned %v", r, c.n, c.err)
		}
	}
}
