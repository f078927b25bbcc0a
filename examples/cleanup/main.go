// Cleanup returns from its main function while a task sleeps, a function blocks
// and a generator is half consumed, and shows how Run ends each of them.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
)

func main() {
	status, err := asyncio.Run(context.Background(), program)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Run has returned:", status)
}

func program(ctx context.Context) (string, error) {
	reading := make(chan struct{})
	asyncio.Go(ctx, func(ctx context.Context) error { return serve(ctx, reading) })

	lines := asyncio.Generate(ctx, produce)
	line, _, err := lines.Next(ctx)
	if err != nil {
		return "", err
	}
	fmt.Println("main: got", line)

	if _, _, err := asyncio.Recv(ctx, reading); err != nil {
		return "", err
	}
	fmt.Println("main: returns")
	return "all is shut down", nil
}

// serve owns the task that reads: it ends after it.
func serve(ctx context.Context, reading chan<- struct{}) error {
	reader := asyncio.Go(ctx, func(ctx context.Context) error { return read(ctx, reading) })
	defer func() {
		// ctx is cancelled by now and an await under it would fail at once.
		// Under WithoutCancel it does not, and the cleanup has its time.
		ctx := context.WithoutCancel(ctx)
		_, _ = reader.Await(ctx) // its error is why it ended, which is known here
		_ = asyncio.Sleep(ctx, 10*time.Millisecond)
		fmt.Println("server: cleaned up")
	}()
	err := asyncio.Sleep(ctx, time.Hour)
	fmt.Println("server:", err)
	return err
}

// read calls a function that blocks, which sees that its ctx is cancelled.
func read(ctx context.Context, reading chan<- struct{}) error {
	_, err := asyncio.Blocking(ctx, func(ctx context.Context) (string, error) {
		close(reading)
		<-ctx.Done()
		return "", ctx.Err()
	})
	fmt.Println("reader: the blocking function has returned:", err)
	return err
}

// produce yields lines without end. Generators are closed after the tasks,
// which may use them until then; yield then returns false.
func produce(ctx context.Context, yield func(string) bool) error {
	defer func() {
		_ = asyncio.Sleep(ctx, 10*time.Millisecond)
		fmt.Println("generator: cleaned up")
	}()
	for n := 1; yield(fmt.Sprint("line ", n)); n++ {
	}
	return nil
}
