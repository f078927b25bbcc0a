package asyncio_test

import (
	"context"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// Texts of deep trees must grow with the number of tasks, not with its square.
func TestSnapshot_TextOfADeepTreeIsNotSquare(t *testing.T) {
	const n = 3000
	run(t, func(ctx context.Context) error {
		var descend func(ctx context.Context, depth int) error
		descend = func(ctx context.Context, depth int) error {
			if depth == 0 {
				l, _ := asyncio.RunningLoop(ctx)
				if size := len(l.Tasks().String()); size > 1000*n {
					t.Errorf("the tree of %d tasks has %d KiB", n, size>>10)
				}
				if size := len(asyncio.CurrentTask(ctx).CallGraph().String()); size > 4000*n {
					t.Errorf("the graph of %d tasks has %d KiB", n, size>>10)
				}
				return nil
			}
			_, err := asyncio.Go(ctx, func(ctx context.Context) error { return descend(ctx, depth-1) }).Await(ctx)
			return err
		}
		return descend(ctx, n)
	})
}
