// Hello is the first program: it awaits, and returns a value out of the loop.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
)

func main() {
	v, err := asyncio.Run(context.Background(), hello)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Main returned:", v)
}

func hello(ctx context.Context) (int, error) {
	fmt.Println("Hello ...")
	if err := asyncio.Sleep(ctx, time.Second); err != nil {
		return 0, err // cancelled
	}
	fmt.Println("... World!")
	return 42, nil
}
