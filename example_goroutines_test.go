package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/asyncio-go/asyncio"
)

// While the function blocks a goroutine of its own, the loop goes on.
func ExampleBlocking() {
	digest := func(ctx context.Context) (string, error) {
		time.Sleep(time.Millisecond) // computes, or calls a library that blocks
		return "e3b0c442", nil
	}
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			fmt.Println("meanwhile, another task runs")
			return nil
		})
		sum, err := asyncio.Blocking(ctx, digest)
		fmt.Println(sum)
		return err
	}))
	fmt.Println(err)
	// Output:
	// meanwhile, another task runs
	// e3b0c442
	// <nil>
}

// The function is told of a cancellation, and Blocking waits for it to return.
func ExampleBlocking_cancel() {
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		ctx, cancel := asyncio.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		return asyncio.Blocking(ctx, func(ctx context.Context) (int, error) {
			<-ctx.Done() // as database/sql and net/http do inside
			return 0, fmt.Errorf("query: %w", ctx.Err())
		})
	})
	fmt.Println(err)
	// Output: query: context deadline exceeded
}

// A function that cannot be interrupted is left to itself; Run still waits for
// it when it ends.
func ExampleAbandonable() {
	solved := make(chan struct{})
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		err := asyncio.Timeout(ctx, time.Millisecond, func(ctx context.Context) error {
			_, err := asyncio.Abandonable(ctx, func(context.Context) (int, error) {
				<-solved // looks at no ctx
				return 42, nil
			})
			return err
		})
		fmt.Println(err)
		close(solved)
		return nil
	}))
	fmt.Println(err)
	// Output:
	// asyncio: timed out after 1ms
	// <nil>
}

func ExampleRecv() {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for line := range strings.Lines("one\ntwo\n") {
			lines <- strings.TrimSpace(line)
		}
	}()
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		for {
			line, ok, err := asyncio.Recv(ctx, lines)
			if err != nil || !ok {
				return err
			}
			fmt.Println(line)
		}
	}))
	fmt.Println(err)
	// Output:
	// one
	// two
	// <nil>
}

func ExampleSend() {
	jobs := make(chan int)
	total := make(chan int)
	go func() {
		sum := 0
		for n := range jobs {
			sum += n
		}
		total <- sum
	}()
	sum, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		for n := range 4 {
			if err := asyncio.Send(ctx, jobs, n); err != nil {
				return 0, err
			}
		}
		close(jobs)
		sum, _, err := asyncio.Recv(ctx, total)
		return sum, err
	})
	fmt.Println(sum, err)
	// Output: 6 <nil>
}

// A program of goroutines, such as an HTTP server, hands work to a loop.
func ExampleSubmit() {
	loop := asyncio.NewLoop(nil)
	ended := make(chan error)
	go func() { ended <- loop.RunForever() }()

	handle := func(user string) (string, error) { // is called on any goroutine
		return asyncio.Submit(loop, func(ctx context.Context) (string, error) {
			return "hello " + user, asyncio.Sleep(ctx, time.Millisecond)
		}).Wait(context.Background())
	}
	fmt.Println(handle("Ada"))

	loop.Stop()
	fmt.Println(<-ended, loop.Close())
	// Output:
	// hello Ada <nil>
	// <nil> <nil>
}

// Wait gives up when its ctx is cancelled; the task goes on.
func ExampleSubmission_Wait() {
	_, err := asyncio.Run(context.Background(), asyncio.Void(func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		slow := func(ctx context.Context) (string, error) { return "", asyncio.Sleep(ctx, time.Hour) }
		_, err = asyncio.Blocking(ctx, func(context.Context) (int, error) {
			impatient, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			_, err := asyncio.Submit(loop, slow).Wait(impatient)
			fmt.Println(err)
			return 0, nil
		})
		fmt.Println(loop.Tasks().Len(), "tasks go on")
		return err
	}))
	fmt.Println(err)
	// Output:
	// context deadline exceeded
	// 2 tasks go on
	// <nil>
}

func ExampleSubmission_Cancel() {
	loop := asyncio.NewLoop(nil)
	ended := make(chan error)
	go func() { ended <- loop.RunForever() }()

	report := asyncio.Submit(loop, func(ctx context.Context) (string, error) {
		return "", asyncio.Sleep(ctx, time.Hour)
	})
	report.Cancel(errors.New("nobody reads it"))
	_, err := report.Wait(context.Background())
	fmt.Println(err)

	loop.Stop()
	fmt.Println(<-ended, loop.Close())
	// Output:
	// asyncio: cancelled: nobody reads it
	// <nil> <nil>
}

// Done is for a select, and for Recv on another loop, which Wait would block.
func ExampleSubmission_Done() {
	loop := asyncio.NewLoop(nil)
	ended := make(chan error)
	go func() { ended <- loop.RunForever() }()

	backup := asyncio.Submit(loop, func(ctx context.Context) (string, error) {
		return "3 files", asyncio.Sleep(ctx, time.Millisecond)
	})
	select {
	case <-backup.Done():
		fmt.Println(backup.Wait(context.Background()))
	case <-time.After(time.Minute):
		fmt.Println("the backup takes long")
	}

	loop.Stop()
	fmt.Println(<-ended, loop.Close())
	// Output:
	// 3 files <nil>
	// <nil> <nil>
}
