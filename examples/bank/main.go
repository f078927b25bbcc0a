// Bank makes two transfers that lock the same two accounts in opposite order. The
// deadlock is found at the moment it would arise, while another task keeps the
// loop busy; the error explains it, and that transfer is made once more.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
)

const maxTries = 3

func main() {
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: &asyncio.ManualClock{}}}
	if err := r.Run(context.Background(), day); err != nil {
		log.Fatal(err)
	}
}

// An account is locked because a transfer awaits. One that does not would need
// no lock.
type account struct {
	owner   string
	balance int
	lock    asyncio.Lock
}

func day(ctx context.Context) error {
	ada, bob := &account{owner: "Ada", balance: 100}, &account{owner: "Bob", balance: 100}
	err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		// As long as this ticks, the loop as a whole does not stand still.
		ticks := 0
		g.Go(func(ctx context.Context) error {
			for ; ; ticks++ {
				if err := asyncio.Sleep(ctx, 3*time.Millisecond); err != nil {
					return err
				}
			}
		})
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			order(ctx, g, "rent", ada, bob, 30)
			order(ctx, g, "refund", bob, ada, 5)
			return nil
		})
		fmt.Printf("both are done after %d ticks of another task\n", ticks)
		g.Cancel()
		return err
	})
	if total := ada.balance + bob.balance; total != 200 {
		return fmt.Errorf("%d was deposited, %d is there", 200, total)
	}
	fmt.Printf("Ada has %d, Bob has %d\n", ada.balance, bob.balance)
	return err
}

// order starts a task that makes a transfer, under a name that reports will use.
func order(ctx context.Context, g *asyncio.TaskGroup, name string, from, to *account, amount int) {
	o := asyncio.TaskOptions{Name: name, Group: g}
	asyncio.SpawnWith(ctx, o, func(ctx context.Context) (int, error) {
		for try := 1; ; try++ {
			err := transfer(ctx, from, to, amount)
			// Not errors.Is(err, ErrDeadlock): that is also how a loop ends of
			// which nothing can wake a task, and then no other try will help.
			deadlock, ok := errors.AsType[*asyncio.DeadlockError](err)
			if !ok || try == maxTries {
				fmt.Printf("%s: %d from %s to %s at try %d: %v\n", name, amount, from.owner, to.owner, try, err)
				return try, err
			}
			fmt.Printf("%s: %v\n", name, deadlock)
			// The wait that failed took nothing, and what the transfer had it
			// has given back as Do returned. So the other one goes on, and this
			// one starts again: no pause is needed, locks are granted in order.
		}
	})
}

// transfer moves an amount, between checks that take their time.
func transfer(ctx context.Context, from, to *account, amount int) error {
	return from.lock.Do(ctx, func(ctx context.Context) error {
		if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil { // is there enough?
			return err
		}
		return to.lock.Do(ctx, func(ctx context.Context) error {
			if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil { // may it be paid in?
				return err
			}
			// Whoever moves an await in between will hear of it.
			asyncio.NoAwait(ctx, func() {
				from.balance -= amount
				to.balance += amount
			})
			return nil
		})
	})
}
