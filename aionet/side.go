package aionet

import (
	"context"
	"net"
	"os"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A side is one direction of a connection.
type side struct {
	ready  asyncio.Event   // something has changed: look again
	wake   func()          // called when the socket is ready for this direction
	alarm  *asyncio.Handle // the deadline, if one is set
	most   int32           // how much is buffered: the read limit, or the high-water mark
	late   bool            // the deadline has passed
	streak uint8           // operations that did not have to wait, in a row
}

// maxStreak is after how many operations that did not have to wait a task lets the
// others run: a peer that is fast enough would keep the loop for itself.
const maxStreak = 64

// check returns the error of an operation that must not begin, or go on.
func (s *side) check(ctx context.Context) error {
	switch {
	case s.late:
		return os.ErrDeadlineExceeded
	case ctx.Err() != nil:
		return asyncio.Yield(ctx) // which fails, as every await does
	}
	return nil
}

// usable is check before a system call, of which only so many follow one another.
func (s *side) usable(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	if s.streak >= maxStreak {
		s.streak = 0
		return asyncio.Yield(ctx)
	}
	s.streak++
	return nil
}

// setDeadline has the operations fail from t on.
func (s *side) setDeadline(l *asyncio.Loop, t time.Time) {
	if s.alarm != nil {
		s.alarm.Cancel()
		s.alarm = nil
	}
	s.late = false
	switch {
	case t.IsZero():
	case !t.After(l.Now()):
		s.pass()
	default:
		s.alarm = l.CallAt(t, s.pass)
	}
}

// pass is called when the deadline has come.
func (s *side) pass() {
	s.late = true
	s.ready.Set()
}

// end takes the deadline back, and tells whoever waits.
func (s *side) end() {
	if s.alarm != nil {
		s.alarm.Cancel()
		s.alarm = nil
	}
	s.ready.Set()
}

// obeyed is what an operation obeys: ctx, or where that is nil the innermost scope of
// the task. It panics where no task of the loop runs, or may await; but with the loop,
// its connections are closed.
func obeyed(l *asyncio.Loop, ctx context.Context) (context.Context, error) {
	if l.Closed() {
		return nil, net.ErrClosed
	}
	if innermost := l.Context(); ctx == nil {
		return innermost, nil
	}
	return ctx, nil
}

// onLoop calls f on the loop: now, if the caller is there, and never, if the loop is
// closed and has closed everything.
func onLoop(l *asyncio.Loop, f func()) {
	switch {
	case l.Owned():
		f()
	case !l.Closed():
		l.CallSoon(f)
	}
}
