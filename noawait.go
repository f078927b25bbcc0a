package asyncio

import (
	"context"

	"github.com/asyncio-go/asyncio/internal/gid"
)

// NoAwait runs f, which must not await: every await in it panics, also one that
// would not have to wait. So the other tasks of the loop see all of what f does or
// nothing. It marks a stretch over which an invariant is broken, where a later
// change that brings an await in must not go unnoticed. It costs a few
// nanoseconds; f may start tasks, which run after it, but not eagerly.
//
//go:noinline
func NoAwait(ctx context.Context, f func()) {
	mustFunc(f != nil, "NoAwait")
	e := currentTask(ctx, "NoAwait").scope.e
	outer := e.noAwait
	e.noAwait = origin(gid.CallerPC())
	defer func() { e.noAwait = outer }()
	f()
}

// mustMayAwait panics inside NoAwait.
func (e *engine) mustMayAwait(fn string) {
	if e.noAwait != 0 {
		panic(misuse(nil, "%s: awaits inside NoAwait (%s), where no other task may run; await before it or after it",
			fn, e.noAwait))
	}
}
