package asyncio_test

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/asyncio-go/asyncio"
)

// A task that reloads the configuration when the process is told to.
func ExampleSignals() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		listens := asyncio.TaskOptions{Eager: true} // before Spawn returns
		reloads := asyncio.SpawnWith(ctx, listens, asyncio.Void(func(ctx context.Context) error {
			for s, err := range asyncio.Signals(ctx, syscall.SIGHUP) {
				if err != nil {
					return err
				}
				fmt.Println("reload, because of", s)
				break // or go on until ctx is cancelled
			}
			return nil
		}))

		self, _ := os.FindProcess(os.Getpid()) // as kill -HUP would do
		if err := self.Signal(syscall.SIGHUP); err != nil {
			return err
		}
		_, err := reloads.Await(ctx)
		return err
	}))
	fmt.Println(err)
	// Output:
	// reload, because of hangup
	// <nil>
}
