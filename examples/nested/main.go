// Nested shows that a loop is not started inside another one, and what to write
// instead: a coroutine is a function, so the one calls the other.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
)

func main() {
	for _, main := range []func(ctx context.Context) (string, error){wrong, right} {
		if _, err := asyncio.Run(context.Background(), main); err != nil {
			log.Fatal(err)
		}
	}
}

func wrong(ctx context.Context) (string, error) {
	fmt.Println("Main task started")
	// A second loop would block the first one, and every task on it.
	_, err := asyncio.Run(ctx, inner)
	if !errors.Is(err, asyncio.ErrNestedRun) {
		return "", fmt.Errorf("nested Run returned %w", err)
	}
	fmt.Println("Caught expected error:", err)
	fmt.Println("Main task continuing")
	return "", nil
}

func right(ctx context.Context) (string, error) {
	fmt.Println("Main task started")
	result, err := inner(ctx)
	if err != nil {
		return "", err
	}
	fmt.Println(result)
	fmt.Println("Main task continuing")
	return "", nil
}

func inner(ctx context.Context) (string, error) {
	return "Inner task complete", asyncio.Sleep(ctx, 10*time.Millisecond)
}
