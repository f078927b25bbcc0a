package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Variables are keys and usually belong to a package.
var (
	userVar  asyncio.Var[string]
	otherVar asyncio.Var[string]
	emptyVar asyncio.Var[struct{}]
	errVar   asyncio.Var[error]
	anyVar   asyncio.Var[any]
)

func wantVar[T comparable](t *testing.T, ctx context.Context, k *asyncio.Var[T], want T, ok bool) {
	t.Helper()
	if v, has := k.Value(ctx); v != want || has != ok {
		t.Errorf("Value = %v, %v; want %v, %v", v, has, want, ok)
	}
}

func TestVar_InnermostValue(t *testing.T) {
	ctx := t.Context() // no loop is needed
	wantVar(t, ctx, &userVar, "", false)
	outer := userVar.With(ctx, "ann")
	inner := userVar.With(context.WithValue(outer, key{}, 1), "bob")
	wantVar(t, outer, &userVar, "ann", true)
	wantVar(t, inner, &userVar, "bob", true)
	wantVar(t, ctx, &userVar, "", false)
	wantVar(t, inner, &otherVar, "", false)
	both := otherVar.With(inner, "eve")
	wantVar(t, both, &userVar, "bob", true)
	wantVar(t, both, &otherVar, "eve", true)
}

func TestVar_ZeroValuesAreValues(t *testing.T) {
	ctx := userVar.With(t.Context(), "")
	wantVar(t, ctx, &userVar, "", true)
	ctx = emptyVar.With(ctx, struct{}{})
	wantVar(t, ctx, &emptyVar, struct{}{}, true)
	var local [2]asyncio.Var[struct{}] // of a type without size, yet two variables
	wantVar(t, local[0].With(ctx, struct{}{}), &local[1], struct{}{}, false)
}

// A nil interface hides what is further out, as None does in asyncio.
func TestVar_NilIsAValue(t *testing.T) {
	ctx := errVar.With(t.Context(), errBoom)
	wantVar(t, ctx, &errVar, errBoom, true)
	ctx = errVar.With(ctx, nil)
	wantVar(t, ctx, &errVar, nil, true)
	wantVar(t, anyVar.With(ctx, nil), &anyVar, nil, true)
	wantVar(t, anyVar.With(ctx, 1), &anyVar, 1, true)
}

func TestVar_TasksInherit(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ann := userVar.With(ctx, "ann")
		s := &story{}
		tell := func(ctx context.Context, who string) {
			v, _ := userVar.Value(ctx)
			s.add("%s: %s", who, v)
		}
		tasks := namedTasks(ann, func(ctx context.Context, name string) error {
			tell(ctx, name)
			if name == "b" {
				ctx = userVar.With(ctx, "bob") // for itself and what it starts
			}
			child := asyncio.Go(ctx, func(ctx context.Context) error { tell(ctx, "child of "+name); return nil })
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			tell(ctx, name)
			return awaitEach(ctx, child)
		}, "a", "b")
		outside := namedTasks(ctx, func(ctx context.Context, name string) error { tell(ctx, name); return nil }, "c")
		err := awaitEach(ctx, append(tasks, outside...)...)
		s.want(t, "a: ann", "b: ann", "c: ", "child of a: ann", "a: ann", "child of b: bob", "b: bob")
		wantVar(t, ann, &userVar, "ann", true)
		return err
	})
}

// Everything that passes a ctx on passes the values on.
func TestVar_GoesWhereverTheContextGoes(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ctx = userVar.With(ctx, "ann")
		has := func(ctx context.Context) error {
			if v, ok := userVar.Value(ctx); v != "ann" || !ok {
				return fmt.Errorf("Value = %q, %v", v, ok)
			}
			return nil
		}
		hasV := asyncio.Void(has)
		var errs []error
		try := func(where string, err error) {
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", where, err))
			}
		}
		try("Timeout", asyncio.Timeout(ctx, time.Second, has))
		_, err := asyncio.Shield(ctx, hasV)
		try("Shield", err)
		_, err = asyncio.Blocking(ctx, hasV)
		try("Blocking", err)
		try("WithoutCancel", has(context.WithoutCancel(ctx)))
		sub, cancel := asyncio.WithTimeout(ctx, time.Hour)
		try("WithTimeout", has(sub))
		cancel()
		std, stop := context.WithCancel(ctx)
		try("a context of Go's", awaitEach(ctx, asyncio.Go(std, has)))
		stop()
		try("Group", asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			g.Go(has)
			return has(ctx)
		}))
		_, err = asyncio.Gather(ctx, hasV, hasV)
		try("Gather", err)
		for _, err := range asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error { return has(ctx) }).All(ctx) {
			try("Generate", err)
		}
		var c asyncio.Cond
		try("Do", c.Do(ctx, has))
		return errors.Join(errs...)
	})
}

// What is shared is shared: a task that changes what it points to is seen.
func TestVar_SharesWhatItPointsTo(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var count asyncio.Var[*int]
		n := 0
		ctx = count.With(ctx, &n)
		add := func(ctx context.Context, _ string) error {
			p, _ := count.Value(ctx)
			*p++
			return nil
		}
		err := awaitEach(ctx, namedTasks(ctx, add, "a", "b", "c")...)
		if n != 3 {
			t.Errorf("n = %d, want 3", n)
		}
		return err
	})
}

func TestVar_FromAnyGoroutine(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ctx = userVar.With(ctx, "ann")
		_, err := asyncio.Blocking(ctx, func(bctx context.Context) (int, error) {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					wantVar(t, bctx, &userVar, "ann", true)
					name := fmt.Sprint(i)
					wantVar(t, userVar.With(ctx, name), &userVar, name, true)
				})
			}
			wg.Wait()
			return 0, nil
		})
		return err
	})
}

// The values of a task's ctx outlive the task and its loop.
func TestVar_OutlivesTheLoop(t *testing.T) {
	var kept context.Context
	run(t, func(ctx context.Context) error {
		return awaitEach(ctx, asyncio.Go(userVar.With(ctx, "ann"), func(ctx context.Context) error { kept = ctx; return nil }))
	})
	wantVar(t, kept, &userVar, "ann", true)
}
