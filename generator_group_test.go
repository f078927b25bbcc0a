package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A generator that merges what the tasks of a group make. When its consumer has
// enough, yield returns false inside the group, and nobody wants what the tasks
// would still make.
func TestGenerator_ClosedInsideAGroupEndsTheGroup(t *testing.T) {
	run(t, func(ctx context.Context) error {
		s := &story{}
		merged := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				values := asyncio.NewQueue[int](1)
				for i := range 2 {
					g.Go(func(ctx context.Context) error {
						defer s.add("producer %d ends", i)
						for n := i; ; n += 2 {
							if err := values.Put(ctx, n); err != nil {
								return err
							}
						}
					})
				}
				for v, err := range values.All(ctx) {
					if err != nil || !yield(v) {
						return err
					}
				}
				return nil
			})
		})
		for v, err := range merged.All(ctx) {
			if err != nil {
				return err
			}
			if s.add("got %d", v); len(s.events) == 2 {
				break
			}
		}
		s.add("closed")
		s.want(t, "got 0", "got 2", "producer 0 ends", "producer 1 ends", "closed")
		return asyncio.Sleep(ctx, time.Second)
	})
}
