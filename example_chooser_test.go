package asyncio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asyncio-go/asyncio"
)

// dice is a Chooser: it picks by a seed, and so gives the same schedule for
// the same seed.
type dice struct{ *rand.Rand }

// Choose implements asyncio.Chooser.
func (d dice) Choose(_ asyncio.Choice, c []asyncio.Candidate) int { return d.IntN(len(c)) }

// A test runs the program with many seeds; one that fails can be run again.
func ExampleChooser() {
	winner := func(seed uint64) (first string, err error) {
		r := asyncio.Runner{Options: asyncio.LoopOptions{Chooser: dice{rand.New(rand.NewPCG(seed, 0))}}}
		err = r.Run(context.Background(), func(ctx context.Context) error {
			for _, name := range []string{"hare", "tortoise"} {
				asyncio.Go(ctx, func(ctx context.Context) error {
					if first == "" {
						first = name
					}
					return nil
				})
			}
			return asyncio.Sleep(ctx, time.Millisecond)
		})
		return first, err
	}
	winners := map[string]bool{}
	for seed := range uint64(20) {
		name, err := winner(seed)
		if err != nil {
			fmt.Println(err)
		}
		winners[name] = true
	}
	fmt.Println(winners)
	again, _ := winner(7)
	same, _ := winner(7)
	fmt.Println(again == same)
	// Output:
	// map[hare:true tortoise:true]
	// true
}
