package asyncio

import "context"

// Shield runs f to its end although ctx is cancelled: nothing that happens
// outside reaches the ctx that f receives, nor the operations in f that take
// none. Then it reports the cancellation: with f's value comes the error that
// the next await would return. An error of f itself is returned as it is.
//
// Shield is for cleanup that must await. Only a forced unwind, at the end of
// the shutdown timeout, ends f early. Tasks that f spawns while the loop shuts
// down are cancelled at birth, like all that are spawned then: await functions
// directly in it.
func Shield[T any](ctx context.Context, f func(ctx context.Context) (T, error)) (T, error) {
	mustFunc(f != nil, "Shield")
	t := runningTask(ctx, "Shield")
	e := t.scope.e
	s := &scope{}
	s.begin(e, nil, nil, ctx)
	s.deadline = forever
	outer := t.enterBracket(s)
	defer t.leaveBracket(s.close, outer)
	v, err := f(s)
	if err == nil && ctx.Err() != nil {
		governing, foreign := governor(ctx, "Shield")
		err = await{t, governing, foreign}.cancellation()
	}
	return v, err
}
