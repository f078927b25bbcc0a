// Loops runs three event loops on three goroutines and passes values between
// them. What belongs to a loop stays on it: only values travel.
package main

import (
	"context"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/asyncio-go/asyncio"
)

func main() {
	workers := []*worker{newWorker("red"), newWorker("blue")}
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		if err := ask(ctx, workers); err != nil {
			return 0, err
		}
		return 0, pass(ctx, workers)
	})
	for _, w := range workers {
		w.close()
	}
	if err != nil {
		log.Fatal(err)
	}
}

// A worker is a loop that runs on a goroutine of its own until it is closed.
type worker struct {
	name string
	loop *asyncio.Loop
	done sync.WaitGroup
}

func newWorker(name string) *worker {
	w := &worker{name: name, loop: asyncio.NewLoop(nil)}
	w.done.Go(func() {
		if err := w.loop.RunForever(); err != nil {
			log.Print(err)
		}
	})
	return w
}

func (w *worker) close() {
	w.loop.Stop()
	w.done.Wait()
	if err := w.loop.Close(); err != nil {
		log.Print(err)
	}
	fmt.Println(w.name, "is closed")
}

// ask has each worker run a coroutine, all at the same time, and awaits them.
func ask(ctx context.Context, workers []*worker) error {
	var answers []*asyncio.Submission[string]
	for _, w := range workers {
		answers = append(answers, asyncio.Submit(w.loop, func(ctx context.Context) (string, error) {
			return w.name + " answers", asyncio.Sleep(ctx, 10*time.Millisecond)
		}))
	}
	for _, a := range answers {
		// Wait blocks its goroutine, and so this loop; Recv awaits instead.
		if _, _, err := asyncio.Recv(ctx, a.Done()); err != nil {
			return err
		}
		text, err := a.Wait(ctx)
		if err != nil {
			return err
		}
		fmt.Println(text)
	}
	return nil
}

// pass sends a call from loop to loop and back to this one, where a future
// waits for it. CallSoon is all it takes, and nobody waits on the way.
func pass(ctx context.Context, workers []*worker) error {
	here, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	back := asyncio.NewFuture[string](ctx)
	red, blue := workers[0], workers[1]
	red.loop.CallSoon(func() {
		route := "from main to " + red.name
		blue.loop.CallSoon(func() {
			route := route + " to " + blue.name
			here.CallSoon(func() { back.SetResult(route + " and back") })
		})
	})
	route, err := back.Await(ctx)
	if err != nil {
		return err
	}
	fmt.Println(route)
	return nil
}
