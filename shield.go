package asyncio

import "context"

// Shield runs f to its end although ctx is cancelled: nothing that happens
// outside reaches the ctx that f receives, nor the operations in f that take
// none. Then it reports the cancellation: with f's value comes the error that
// the next await would return. An error of f itself is returned as it is.
//
// Shield is for cleanup that must await. Only a forced unwind, at the end of
// the shutdown timeout, ends f early.
func Shield[T any](ctx context.Context, f func(ctx context.Context) (T, error)) (T, error) {
	mustFunc(f != nil, "Shield")
	t := runningTask(ctx, "Shield")
	e := t.scope.e
	s := &scope{}
	s.begin(e, nil, nil, ctx)
	s.deadline = forever
	defer s.leave(t.enterBracket(s))
	v, err := f(s)
	if err == nil && ctx.Err() != nil {
		outer, foreign := governor(ctx, "Shield")
		err = await{t, outer, foreign}.cancellation()
	}
	return v, err
}

func (s *scope) leave(t *task, outer *scope) {
	s.close()
	t.coro.bracket = outer
}
