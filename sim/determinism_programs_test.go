package sim_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// programs are those whose hashes are kept. None of them fails under any seed.
var programs = []struct {
	name string
	f    sim.Func
	o    sim.Options
}{
	{"lock", contend, sim.Options{}},
	{"queue", produce, sim.Options{}},
	{"group", nest, sim.Options{}},
	{"timeout", deadlines, sim.Options{}},
	{"generator", generate, sim.Options{}},
	{"future", relay, sim.Options{}},
	{"blocking", work, sim.Options{}},
	{"context", standard, sim.Options{}},
	{"network", func(ctx context.Context, _ *sim.World) error { return greet(ctx) }, sim.Options{}},
	{"hosts", survive, sim.Options{Faults: sim.AllFaults}},
}

// crew runs n tasks in a group.
func crew(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		for i := range n {
			g.Go(func(ctx context.Context) error { return f(ctx, i) })
		}
		return nil
	})
}

func contend(ctx context.Context, w *sim.World) error {
	var mu asyncio.Lock
	permits := asyncio.NewSemaphore(2)
	return crew(ctx, 5, func(ctx context.Context, i int) error {
		for range 3 {
			if err := permits.Acquire(ctx); err != nil {
				return err
			}
			err := mu.Do(ctx, func(ctx context.Context) error {
				return asyncio.Sleep(ctx, time.Duration(w.Draw(3))*time.Millisecond)
			})
			permits.Release()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func produce(ctx context.Context, _ *sim.World) error {
	q := asyncio.NewQueue[int](2)
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		for i := range 3 {
			g.Go(func(ctx context.Context) error {
				for n := range 4 {
					if err := q.Put(ctx, i*10+n); err != nil {
						return err
					}
				}
				return nil
			})
			g.Go(func(ctx context.Context) error {
				for range 4 {
					if _, err := q.Get(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
}

// nest has groups in groups, one of which fails.
func nest(ctx context.Context, _ *sim.World) error {
	errExpected := errors.New("expected")
	err := crew(ctx, 3, func(ctx context.Context, i int) error {
		return crew(ctx, 3, func(ctx context.Context, j int) error {
			for range i + j {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			if i*j == 4 {
				return errExpected
			}
			return nil
		})
	})
	if !errors.Is(err, errExpected) {
		return fmt.Errorf("the group ends with %w", err)
	}
	return nil
}

// deadlines has deadlines that are equal, and sleeps that end at the same time.
func deadlines(ctx context.Context, _ *sim.World) error {
	return crew(ctx, 4, func(ctx context.Context, i int) error {
		err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			return asyncio.Sleep(ctx, time.Second)
		})
		if errors.Is(err, asyncio.ErrTimeout) {
			return asyncio.Sleep(ctx, time.Duration(i)*time.Second)
		}
		return err
	})
}

func generate(ctx context.Context, _ *sim.World) error {
	return crew(ctx, 3, func(ctx context.Context, i int) error {
		numbers := asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
			for n := 0; yield(n); n++ {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		for n := range 3 + i {
			if v, ok, err := numbers.Next(ctx); v != n || !ok || err != nil {
				return fmt.Errorf("number %d is %d, %v: %w", n, v, ok, err)
			}
		}
		return numbers.Close(ctx)
	})
}

// relay hands a value on from future to future; callbacks and shields look on.
func relay(ctx context.Context, _ *sim.World) error {
	futures := make([]*asyncio.Future[int], 5)
	for i := range futures {
		futures[i] = asyncio.NewFuture[int](ctx)
		futures[i].AddDoneCallback(func(*asyncio.Future[int]) {})
	}
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		for i := range len(futures) - 1 {
			g.Go(func(ctx context.Context) error {
				v, err := futures[i].Await(ctx)
				futures[i+1].SetResult(v + 1)
				return err
			})
			g.Go(func(ctx context.Context) error {
				_, err := futures[i].Await(ctx)
				return err
			})
		}
		futures[0].SetResult(1)
		return nil
	})
}

func work(ctx context.Context, _ *sim.World) error {
	return crew(ctx, 4, func(ctx context.Context, i int) error {
		for range 2 {
			v, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { return i, nil })
			if err != nil || v != i {
				return fmt.Errorf("%d: %w", v, err)
			}
		}
		return nil
	})
}

// standard cancels by a context of the standard library.
func standard(ctx context.Context, _ *sim.World) error {
	std, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	return crew(ctx, 4, func(ctx context.Context, i int) error {
		if i == 3 {
			cancel()
			return nil
		}
		if err := asyncio.Sleep(std, time.Hour); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("the sleep ends with %w", err)
		}
		return nil
	})
}

// survive has a client ask a server that crashes, over a network that loses packets.
func survive(ctx context.Context, w *sim.World) error {
	w.Host(ctx, "server", func(ctx context.Context) error {
		return answering(ctx, func(ctx context.Context, question string) (string, error) {
			if sim.Buggify(ctx) {
				return question, asyncio.Sleep(ctx, 2*time.Second)
			}
			return question, nil
		})
	})
	client := w.Host(ctx, "client", func(ctx context.Context) error {
		for range 3 {
			_, _ = ask(ctx, "server", "hello") // which may be down
			if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	})
	client.Spare()
	return client.Wait(ctx)
}
