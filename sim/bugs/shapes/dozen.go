package shapes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

// Dozen are twelve small kernels of what goes wrong at an await. The portfolio of
// strategies is measured by them.
func Dozen() []bugs.Bug {
	dozen := []bugs.Bug{
		pair("lost update", "two tasks read, await and write", lostUpdate),
		pair("check then act", "there is room, then an await, then there is too much", checkThenAct),
		pair("AB-BA", "two locks in two orders", abBa),
		pair("event cleared", "an event is cleared after it was set and before it is waited for", eventCleared),
		pair("cancel and completion", "a task is cancelled as what it awaits is done, and keeps it to itself", cancelAndCompletion),
		pair("double close", "two tasks see that something is open, and both close it", doubleClose),
		pair("pool hand-over", "a connection is handed to a waiter that is cancelled", poolHandOver),
		pair("order of three", "three messages arrive in the order in which their tasks run", orderOfThree),
		pair("ABA", "a value that is what it was has been another meanwhile", aba),
		pair("publish before init", "what others find is not ready yet", publishBeforeInit),
		pair("missed notify", "a notification comes before the wait for it", missedNotify),
		pair("timeout and answer", "an answer comes as the time is up, and is taken for the next", timeoutAndAnswer),
	}
	for i := range dozen {
		dozen[i].From = "a small kernel of this package"
	}
	return dozen
}

func lostUpdate(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		n := 0
		add := func(ctx context.Context) error {
			before := n
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			if fixed {
				before = n
			}
			n = before + 1
			return nil
		}
		audit := func(ctx context.Context) error {
			if err := yields(ctx, 9); err != nil {
				return err
			}
			return add(ctx)
		}
		err := together(ctx, task{"deposit", add}, task{"audit", audit})
		if err == nil && n != 2 {
			err = errors.New("an update is lost")
		}
		return err
	}
}

func checkThenAct(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		const room = 2
		members := 0
		join := func(turns int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				if err := yields(ctx, turns); err != nil {
					return err
				}
				if members == room {
					return nil
				}
				if !fixed {
					if err := asyncio.Yield(ctx); err != nil {
						return err
					}
				}
				if members++; members > room {
					return errors.New("the room is too full")
				}
				return asyncio.Yield(ctx)
			}
		}
		return together(ctx, task{"first", join(0)}, task{"second", join(0)}, task{"third", join(7)})
	}
}

func abBa(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var a, b asyncio.Lock
		move := func(from, to *asyncio.Lock, turns int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				if err := yields(ctx, turns); err != nil {
					return err
				}
				return both(ctx, from, to, func() {})
			}
		}
		back := move(&b, &a, 9)
		if fixed {
			back = move(&a, &b, 9)
		}
		return together(ctx, task{"there", move(&a, &b, 0)}, task{"back", back})
	}
}

func eventCleared(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var work asyncio.Event
		items := 0
		worker := func(ctx context.Context) error {
			for done := 0; done < 2; {
				if err := work.Wait(ctx); err != nil {
					return err
				}
				if fixed {
					work.Clear()
				}
				done += items
				items = 0
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
				if !fixed {
					work.Clear()
				}
			}
			return nil
		}
		producer := func(ctx context.Context) error {
			for range 2 {
				items++
				work.Set()
				if err := yields(ctx, 6); err != nil {
					return err
				}
			}
			return nil
		}
		return together(ctx, task{"worker", worker}, task{"producer", producer})
	}
}

func cancelAndCompletion(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		permits := asyncio.NewSemaphore(1)
		victim := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "victim"}, asyncio.Void(func(ctx context.Context) error {
			if err := permits.Acquire(ctx); err != nil {
				return err
			}
			if !fixed {
				if err := asyncio.Yield(ctx); err != nil { // nothing has happened yet, it thinks
					return err
				}
			}
			defer permits.Release()
			return asyncio.Yield(ctx)
		}))
		holder := func(ctx context.Context) error {
			return permits.Do(ctx, asyncio.Yield)
		}
		canceller := func(ctx context.Context) error {
			if err := yields(ctx, 1); err != nil {
				return err
			}
			victim.Cancel(nil)
			return nil
		}
		if err := together(ctx, task{"holder", holder}, task{"canceller", canceller}); err != nil {
			return err
		}
		if _, err := victim.Await(ctx); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if permits.Free() != 1 {
			return errors.New("the permit is lost")
		}
		return nil
	}
}

func doubleClose(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		open, closes := true, 0
		closer := func(turns int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				if err := yields(ctx, turns); err != nil {
					return err
				}
				if !open {
					return nil
				}
				if fixed {
					open = false
				}
				if err := asyncio.Yield(ctx); err != nil { // flushes
					return err
				}
				open = false
				if closes++; closes > 1 {
					return errors.New("it is closed twice")
				}
				return nil
			}
		}
		return together(ctx, task{"reader", closer(0)}, task{"writer", closer(7)})
	}
}

func poolHandOver(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var waiting []*asyncio.Future[struct{}]
		idle := 1
		give := func() {
			if len(waiting) == 0 {
				idle++
				return
			}
			waiting[0].SetResult(struct{}{})
			waiting = waiting[1:]
		}
		use := func(ctx context.Context) error {
			if idle == 0 {
				f := asyncio.NewFuture[struct{}](ctx)
				waiting = append(waiting, f)
				if _, err := f.Await(ctx); err != nil {
					if !f.Done() && fixed {
						f.Cancel(nil)
						waiting = nil
					} else if fixed {
						give()
					}
					return err
				}
			} else {
				idle--
			}
			defer give()
			return asyncio.Yield(ctx)
		}
		victim := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "victim"}, asyncio.Void(use))
		canceller := func(context.Context) error {
			victim.Cancel(nil)
			return nil
		}
		if err := together(ctx, task{"other", use}, task{"canceller", canceller}); err != nil {
			return err
		}
		if _, err := victim.Await(ctx); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if idle != 1 {
			return errors.New("the connection is lost")
		}
		return nil
	}
}

func orderOfThree(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var got []int
		send := func(number int) task {
			return task{fmt.Sprint("message ", number), func(ctx context.Context) error {
				err := yields(ctx, 3*number)
				got = append(got, number)
				return err
			}}
		}
		if err := together(ctx, send(0), send(1), send(2)); err != nil {
			return err
		}
		if fixed {
			slices.Sort(got)
		}
		if slices.Equal(got, []int{2, 1, 0}) {
			return errors.New("the messages came in reverse")
		}
		return nil
	}
}

func aba(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		value, version := "A", 0
		set := func(v string) { value, version = v, version+1 }
		compare := func(ctx context.Context) error {
			before, at := value, version
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			if fixed && version != at {
				return nil // it begins again
			}
			if value == before && version != at {
				return errors.New("it has changed, and back")
			}
			return nil
		}
		change := func(ctx context.Context) error {
			if err := yields(ctx, 6); err != nil {
				return err
			}
			return steps(ctx, func() { set("B") }, func() { set("A") })
		}
		return together(ctx, task{"compare", compare}, task{"change", change})
	}
}

func publishBeforeInit(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		type service struct{ ready bool }
		var published *service
		start := func(ctx context.Context) error {
			s := &service{}
			if !fixed {
				published = s
			}
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			s.ready = true
			published = s
			return nil
		}
		use := func(ctx context.Context) error {
			if err := yields(ctx, 7); err != nil {
				return err
			}
			if published != nil && !published.ready {
				return errors.New("the service is not ready")
			}
			return nil
		}
		return together(ctx, task{"start", start}, task{"use", use})
	}
}

func missedNotify(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		var c asyncio.Cond
		done := false
		wait := func(ctx context.Context) error {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
			return c.Do(ctx, func(ctx context.Context) error {
				if fixed && done {
					return nil
				}
				return c.Wait(ctx)
			})
		}
		notify := func(ctx context.Context) error {
			if err := yields(ctx, 9); err != nil {
				return err
			}
			return c.Do(ctx, func(context.Context) error {
				done = true
				c.NotifyAll()
				return nil
			})
		}
		return together(ctx, task{"waiter", wait}, task{"notifier", notify})
	}
}

func timeoutAndAnswer(fixed bool) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		answers := asyncio.NewQueue[int](0)
		client := func(ctx context.Context) error {
			for i := range 2 {
				answer, err := asyncio.WaitFor(ctx, time.Second, answers.Get)
				for fixed && err == nil && answer < i {
					answer, err = asyncio.WaitFor(ctx, time.Second, answers.Get)
				}
				if errors.Is(err, asyncio.ErrTimeout) {
					continue
				}
				if err != nil {
					return err
				}
				if answer != i {
					return fmt.Errorf("the answer to %d is taken for that to %d", answer, i)
				}
			}
			return nil
		}
		server := func(ctx context.Context) error {
			for i := range 2 {
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					return err
				}
				if err := answers.Put(ctx, i); err != nil {
					return err
				}
			}
			return nil
		}
		return together(ctx, task{"server", server}, task{"client", client})
	}
}
