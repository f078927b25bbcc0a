// Debug shows what debug mode says of code that blocks the loop: once while it
// blocks, with the stack, and once when it is over. Look at stderr.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
)

func main() {
	debug := &asyncio.Runner{Debug: asyncio.DebugOn} // or set ASYNCIODEBUG=1
	for _, main := range []func(ctx context.Context) (string, error){blockingTask, blockingCallback} {
		text, err := asyncio.RunWith(context.Background(), debug, main)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(text)
	}
}

func blockingTask(context.Context) (string, error) {
	time.Sleep(2 * time.Second) // stops every task; asyncio.Sleep would not
	return "This will trigger a slow callback warning if debug is on", nil
}

func blockingCallback(ctx context.Context) (string, error) {
	loop, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return "", err
	}
	loop.CallSoon(func() {
		time.Sleep(2 * time.Second) // the same in a callback
	})
	return "So will a callback that blocks", asyncio.Yield(ctx) // until it has run
}
