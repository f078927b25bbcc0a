package asyncio

import "context"

// A Var is a value that a task has and that the tasks it starts inherit: the
// user of a request, the id of a trace. It travels in the ctx. Its zero value is
// ready; it is a key, and usually a variable of a package. It must not be copied.
//
//	var user asyncio.Var[string]
//
//	ctx = user.With(ctx, "ann")
//	name, ok := user.Value(ctx)
//
// What is stored is shared by all tasks that see it. Its methods are safe to
// call from any goroutine, and with any context.
type Var[T any] struct {
	_ noCopy
	_ byte // the address is the key, and empty variables may share one
}

// With is ctx with v as the variable's value, for the tasks and functions that
// receive it. Nothing else changes: who has ctx sees what it saw before.
func (k *Var[T]) With(ctx context.Context, v T) context.Context {
	return context.WithValue(ctx, k, &v)
}

// Value is the innermost value that ctx has; ok is false if it has none.
func (k *Var[T]) Value(ctx context.Context) (v T, ok bool) {
	if p, ok := ctx.Value(k).(*T); ok {
		return *p, true
	}
	return v, false
}
