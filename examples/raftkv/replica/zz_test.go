package replica_test
import ("testing";"fmt";"context";"github.com/asyncio-go/asyncio/sim")
func TestZZ(t *testing.T) {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		c := scenario("")
		_ = c
		err := c(ctx, w)
		_ = fmt.Sprint()
		return err
	}, sim.Options{Seeds:200})
	fmt.Printf("%+v\n", r)
}
