// Manual manages a loop by hand, which Run otherwise does. Programs do so that
// run one loop several times, or need it before their main function starts.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// run is apart from main because log.Fatal would skip the deferred Close.
func run() (err error) {
	loop := asyncio.NewLoop(nil)
	defer func() {
		// Close ends what is still on the loop; like a file's, its error counts.
		if e := loop.Close(); err == nil {
			err = e
		}
	}()
	text, err := asyncio.RunUntilComplete(context.Background(), loop, compose)
	if err != nil {
		return err
	}
	fmt.Println(text)
	return nil
}

func compose(ctx context.Context) (string, error) {
	return "Manual loop example", asyncio.Sleep(ctx, 10*time.Millisecond)
}
