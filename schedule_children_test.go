package asyncio_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/asyncio-go/asyncio"
)

// A modelGroup is what a Group, a Gather and their like have to make of how their
// tasks end.
type modelGroup struct {
	*schedule
	kind     groupKind
	outer    context.Context
	children []*modelChild
	errs     []error     // in the order of completion
	late     bool        // one of them may have come later, when a StartIn gave up its task
	own      bool        // it has cancelled itself, and nobody outside was first
	outside  bool        // something has ended with the cancellation from outside
	won      *modelChild // of a First
	panicked any         // what the first task panicked with
	body     any         // what the function of the group panicked with
}

type groupKind int

const (
	asGroup groupKind = iota
	asGather
	asFirst
	asSettle
)

// A modelChild is an actor that is a task of a group.
type modelChild struct {
	*actor
	err      error           // with which it ended
	exempt   bool            // was let begin before the limit was lowered
	starting bool            // StartIn waits for it
	told     bool            // it has told StartIn that it has started
	via      context.Context // of StartIn
	giveUp   context.CancelFunc
}

type scheduleError struct{ n int }

func (e *scheduleError) Error() string { return fmt.Sprintf("error %d", e.n) }

func newModelGroup(s *schedule, kind groupKind, outer context.Context) *modelGroup {
	return &modelGroup{schedule: s, kind: kind, outer: outer}
}

func (m *modelGroup) child() *modelChild {
	c := &modelChild{actor: m.actor()}
	m.children = append(m.children, c)
	return c
}

// begins is told of a task that begins to run: then nothing has cancelled it.
func (m *modelGroup) begins(ctx context.Context, c *modelChild) {
	m.note(c.n, "begins", 0)
	c.task, c.began = asyncio.CurrentTask(ctx), true
	if ctx.Err() != nil || m.isCancelled() {
		m.fail("#%d begins although it is cancelled: %v", c.n, ctx.Err())
	}
}

// outcome draws how the task c ends, or with a nil c the function of the group.
func (m *modelGroup) outcome(ctx context.Context, c *modelChild) error {
	if m.isCancelled() && ctx.Err() == nil {
		m.fail("the group is cancelled, but not all of its tasks are")
	}
	if ctx.Err() != nil && m.draw(3) > 0 {
		err := asyncio.Yield(ctx)
		m.endsCancelled(c, err)
		return err
	}
	switch m.draw(12) {
	case 8, 9, 10:
		err := &scheduleError{len(m.events)}
		m.fails(c, err)
		return err
	case 11:
		if m.oneIn(3) {
			m.panics(c, &scheduleError{len(m.events)})
		}
	}
	if m.kind == asFirst && m.won == nil {
		m.won = c
		m.cancelSelf()
	}
	return nil
}

func (m *modelGroup) fails(c *modelChild, err error) {
	m.errs = append(m.errs, err)
	if c != nil {
		c.err, c.failed = err, true
		m.late = m.late || c.starting && c.via.Err() != nil
	}
	if (m.kind == asGroup || m.kind == asGather) && (c == nil || !c.starting) { // or it is for StartIn to tell
		m.cancelSelf()
	}
}

func (m *modelGroup) endsCancelled(c *modelChild, err error) {
	own := c != nil && errors.Is(err, c.cause)
	if own && (m.kind == asGather || m.kind == asFirst) {
		m.fails(c, err) // without it a value is missing
		return
	}
	if c != nil {
		c.err = err
	}
	switch {
	case m.own, own:
	case c != nil && c.via != nil && (!c.told || c.via.Err() != nil): // StartIn has it, or has cancelled the task
	case m.outer.Err() != nil:
		m.outside = true
	case !m.late:
		m.fail("a task has ended with %v, but nobody has cancelled it", err)
	}
}

// panics ends a task, or the function of the group, with a panic.
func (m *modelGroup) panics(c *modelChild, v any) {
	pe, passedOn := v.(*asyncio.PanicError)
	switch {
	case c == nil:
		m.body = v
	case !passedOn:
		m.logs = append(m.logs, "Task panicked")
	}
	if passedOn {
		v = pe.Value
	}
	if c != nil {
		c.failed = true
		m.panicked = cmp.Or(m.panicked, v)
	}
	m.cancelSelf()
	if passedOn {
		panic(pe)
	}
	panic(v)
}

// cancelSelf is what a group does at the first failure.
func (m *modelGroup) cancelSelf() { m.own = m.own || m.outer.Err() == nil }

func (m *modelGroup) isCancelled() bool { return m.own || m.outer.Err() != nil }

// resultOrPanic is what f returns or panics with.
func resultOrPanic(f func() error) (panicked any, err error) {
	defer func() { panicked = recover() }()
	return nil, f()
}

// mustBeOver fails if one of the tasks has not ended.
func (m *modelGroup) mustBeOver() {
	for _, c := range m.children {
		if c.task != nil && !c.task.Done() || c.began && !c.ended {
			m.fail("the group has returned before #%d has ended", c.n)
		}
		c.ended = true
		if c.began {
			continue
		}
		// It was cancelled before it could begin.
		var err error
		if c.task != nil {
			_, err = c.handle().Result()
		}
		if !c.starting {
			m.endsCancelled(c, err)
		}
	}
}

// mustReturn holds what the group returned, or panicked with, to the model.
func (m *modelGroup) mustReturn(err error, panicked any) {
	want := m.body
	if want == nil {
		want = m.panicked
	}
	got := panicked
	if pe, ok := panicked.(*asyncio.PanicError); ok {
		got = pe.Value
	}
	var several *asyncio.GroupError
	switch {
	case got != want:
		m.fail("the group panicked with %v, want %v", got, want)
	case want != nil:
	case len(m.errs) == 1:
		if err != m.errs[0] {
			m.fail("the group returned %v, want %v", err, m.errs[0])
		}
	case len(m.errs) > 1:
		if !errors.As(err, &several) || !m.sameErrors(several.Errs) {
			m.fail("the group returned %v, want %v", err, m.errs)
		}
	case m.outside || err != nil:
		m.mustBeCancelled(m.outer, "the group", err)
	}
}

func (m *modelGroup) sameErrors(errs []error) bool {
	if m.late {
		inOrder := func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) }
		errs = slices.SortedFunc(slices.Values(errs), inOrder)
		slices.SortFunc(m.errs, inOrder)
	}
	return slices.Equal(errs, m.errs)
}
