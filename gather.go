package asyncio

import (
	"context"
	"errors"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// Gather runs fs as tasks and returns their values, in the order of fs. When one
// of them fails the others are cancelled; Gather waits for them, and its error is
// that of a [Group]. A function whose task was cancelled, by [Task.Cancel] of its
// own, has no value and has failed.
//
//go:noinline
func Gather[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) ([]T, error) {
	g := &TaskGroup{}
	g.judge = func(t *task) {
		if t.err != nil {
			g.failed(t, t.err)
		}
	}
	tasks, err := together(ctx, g, "Gather", fs, gid.CallerPC())
	if err == nil {
		err = g.verdict()
	}
	if err != nil {
		return nil, err
	}
	values := make([]T, len(tasks))
	for i := range tasks {
		values[i] = tasks[i].value
	}
	return values, nil
}

// A Result is what one of several functions returned.
type Result[T any] struct {
	Value T
	Err   error
}

// Settle runs fs as tasks and returns what each of them returned, in the order of
// fs. An error cancels nobody. When ctx is cancelled all are, and Settle waits for
// them. A panic is passed on as by [Group].
//
//go:noinline
func Settle[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) []Result[T] {
	g := &TaskGroup{judge: func(*task) {}}
	tasks, err := together(ctx, g, "Settle", fs, gid.CallerPC())
	results := make([]Result[T], len(fs))
	if err != nil { // cancelled before any of them began
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	_ = g.verdict() // only a panic
	for i := range tasks {
		results[i] = Result[T]{tasks[i].value, tasks[i].err}
	}
	return results
}

// First runs fs as tasks and returns the value of the first that succeeds. The
// others are cancelled, and First waits for them; their errors are dropped. If none
// succeeds it returns all errors, as a [Group] does. A panic is passed on, even if
// another one succeeded.
//
//go:noinline
func First[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) (T, error) {
	var winner *Task[T]
	g := &TaskGroup{}
	g.judge = func(t *task) {
		switch {
		case t.err == nil && winner == nil:
			winner = t.face.(*Task[T])
			g.cancel(errWon)
		case t.err != nil && !g.wasCancelled(t.err):
			g.errs = append(g.errs, t.err)
		}
	}
	var zero T
	_, err := together(ctx, g, "First", fs, gid.CallerPC())
	if err != nil {
		return zero, err
	}
	if winner != nil {
		g.errs, g.outside, g.own = nil, nil, nil
	}
	if err := g.verdict(); err != nil {
		return zero, err
	}
	if winner == nil {
		return zero, errors.New("asyncio: First: none of the functions has succeeded, because none was given; pass at least one")
	}
	return winner.value, nil
}

var errWon error = &misuseError{text: "another function has succeeded"}

// together runs fs as the tasks of g, and returns them once they have ended. The
// error is that of an await whose ctx is cancelled; none of fs was started then.
func together[T any](ctx context.Context, g *TaskGroup, fn string, fs []func(context.Context) (T, error), pc uintptr) ([]Task[T], error) {
	for _, f := range fs {
		mustFunc(f != nil, fn)
	}
	if _, err := newAwait(ctx, fn); err != nil {
		return nil, err
	}
	defer g.leave(g.enter(ctx, fn))
	tasks := make([]Task[T], len(fs))
	g.children = make([]*task, 0, len(fs))
	for i := range tasks {
		t := &tasks[i]
		t.fn = fs[i]
		g.add(&t.task, t, TaskOptions{}, pc, fn)
	}
	g.join()
	return tasks, nil
}
