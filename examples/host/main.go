// Host is a game that has a loop of its own, at 60 frames a second, and drives
// an event loop from it: a frame gives the loop what time it can spare.
package main

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/asyncio-go/asyncio"
)

const (
	frames    = 60
	frameTime = time.Second / 60
)

func main() {
	if err := play(); err != nil {
		log.Fatal(err)
	}
}

func play() error {
	// OnWake says that a goroutine has something for the loop: here that the
	// level is loaded. A host that sleeps between frames would wake up on it.
	var woken atomic.Bool
	loop := asyncio.NewLoop(&asyncio.LoopOptions{OnWake: func() { woken.Store(true) }})
	defer loop.Close()
	story := asyncio.Submit(loop, tell)

	var next time.Time // when the loop wants to be stepped; zero: when woken
	due := func() bool { return woken.Swap(false) || !next.IsZero() && !loop.Now().Before(next) }

	ticker := time.NewTicker(frameTime)
	defer ticker.Stop()
	for range frames {
		<-ticker.C
		began := time.Now()
		// A step is a single turn, and a task that goes on at once wants many.
		// The frame must be drawn in time, though.
		for due() {
			var err error
			if next, err = loop.Step(); err != nil {
				return err
			}
			if time.Since(began) > frameTime/2 {
				break
			}
		}
		draw()
	}

	// A story that is not over by now ends here, or Wait would wait for ever:
	// nobody steps the loop any more.
	if err := loop.Close(); err != nil {
		return err
	}
	end, err := story.Wait(context.Background())
	if err != nil {
		return err
	}
	fmt.Println(end)
	return nil
}

func draw() {}

// tell is the story, as it would read without a host.
func tell(ctx context.Context) (string, error) {
	fmt.Println("Loading ...")
	level, err := asyncio.Blocking(ctx, load)
	if err != nil {
		return "", err
	}
	fmt.Println("Level:", level)

	guard := asyncio.Go(ctx, func(ctx context.Context) error {
		if err := asyncio.Sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
		fmt.Println("The guard wakes up")
		return nil
	})
	if err := asyncio.Sleep(ctx, 100*time.Millisecond); err != nil {
		return "", err
	}
	fmt.Println("A door opens")
	if _, err := guard.Await(ctx); err != nil {
		return "", err
	}
	return "Game over", nil
}

// load takes the time of several frames, none of which waits for it.
func load(context.Context) (string, error) {
	time.Sleep(50 * time.Millisecond)
	return "The Castle", nil
}
