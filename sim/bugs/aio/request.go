package aio

import (
	"context"
	"errors"

	"github.com/asyncio-go/asyncio"
)

// errAsked is the cancellation of a request.
var errAsked = errors.New("cancelled")

// A request is asyncio's cancellation of a task: one await delivers it, and what that
// hides is lost, because the awaits behind it know of nothing. How often the task was
// asked is counted, so that brackets can tell what is theirs.
type request struct {
	asked int  // requests that nobody has taken back
	due   bool // the next await fails
	stop  context.CancelFunc
}

// cancel asks the task to end.
func (r *request) cancel() {
	r.asked++
	r.due = true
	if r.stop != nil {
		r.stop()
	}
}

// uncancel takes a request back, and says how many are left.
func (r *request) uncancel() int {
	r.asked--
	return r.asked
}

// wait runs an await of the task.
func (r *request) wait(ctx context.Context, await func(ctx context.Context) error) error {
	ctx, cancel := asyncio.WithCancel(ctx)
	defer cancel()
	if r.stop = cancel; r.due {
		cancel()
	}
	err := await(ctx)
	r.stop = nil
	if r.due {
		r.due = false
		return errAsked
	}
	return err
}
