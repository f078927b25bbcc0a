package shapes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

// Dozen are twelve small kernels of what goes wrong at an await. The portfolio of
// strategies is measured by them.
func Dozen() []bugs.Bug {
	return []bugs.Bug{
		classic("lost update", "two tasks read, await and write", lostUpdate),
		classic("check then act", "there is room, then an await, then there is too much", checkThenAct),
		classic("AB-BA", "two locks in two orders", abBa),
		classic("event cleared", "an event is cleared after it was set and before it is waited for", eventCleared),
		classic("cancel and completion", "a task is cancelled as what it awaits is done, and keeps it to itself", cancelAndCompletion),
		classic("double close", "two tasks see that something is open, and both close it", doubleClose),
		classic("pool hand-over", "a connection is handed to a waiter that is cancelled", poolHandOver),
		classic("order of three", "three messages arrive in the order in which their tasks run", orderOfThree),
		classic("ABA", "a value that is what it was has been another meanwhile", aba),
		classic("publish before init", "what others find is not ready yet", publishBeforeInit),
		classic("missed notify", "a notification comes before the wait for it", missedNotify),
		classic("timeout and answer", "an answer comes as the time is up, and is taken for the next", timeoutAndAnswer),
	}
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
