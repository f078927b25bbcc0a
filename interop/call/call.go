// Package call brings what a goroutine was asked into a task of a loop, with the
// context that came with it: for servers that run handlers on goroutines.
package call

import (
	"context"

	"github.com/asyncio-go/asyncio"
)

// Task runs f as a task of loop and waits for its result, from any goroutine.
// The task has the values of ctx and is cancelled with it; Task returns when it
// has ended. A loop that is closed gives an error that matches
// [asyncio.ErrLoopClosed], a panic an [asyncio.PanicError].
func Task[T any](ctx context.Context, loop *asyncio.Loop, f func(ctx context.Context) (T, error)) (T, error) {
	task := asyncio.Submit(loop, func(scope context.Context) (asyncio.Result[T], error) {
		v, err := f(Join(scope, ctx))
		return asyncio.Result[T]{Value: v, Err: err}, nil // the error is the caller's, and no failure of the loop
	})
	stop := context.AfterFunc(ctx, func() { task.Cancel(context.Cause(ctx)) })
	defer stop()
	r, err := task.Wait(context.WithoutCancel(ctx))
	if err != nil {
		return r.Value, err
	}
	return r.Value, r.Err
}

// Join is scope with the values of ctx beside its own.
func Join(scope, ctx context.Context) context.Context {
	return joined{scope, context.WithoutCancel(ctx)}
}

type joined struct {
	context.Context
	values context.Context // cannot be cancelled
}

func (j joined) Value(key any) any {
	if v := j.Context.Value(key); v != nil {
		return v
	}
	return j.values.Value(key)
}
