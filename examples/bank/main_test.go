package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

// Many transfers between few accounts: whatever the schedule, each is made in the end,
// and no money comes or goes.
func TestBank_TransfersUnderAnySchedule(t *testing.T) {
	sim.Test(t, func(ctx context.Context, w *sim.World) error {
		accounts := []*account{{owner: "Ada", balance: 100}, {owner: "Bob", balance: 100}, {owner: "Cy", balance: 100}}
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for i := range 6 {
				from := accounts[i%3]
				to := accounts[(i+1+w.Draw(2))%3]
				g.Go(func(ctx context.Context) error {
					for {
						err := transfer(ctx, from, to, i)
						_, deadlock := errors.AsType[*asyncio.DeadlockError](err)
						sim.Sometimes(ctx, deadlock, "a transfer would have been a deadlock")
						if !deadlock {
							return err
						}
					}
				})
			}
			return nil
		})
		total := 0
		for _, a := range accounts {
			total += a.balance
			if a.lock.Locked() {
				return fmt.Errorf("the account of %s is locked", a.owner)
			}
		}
		if total != 300 {
			return fmt.Errorf("%d is there, of 300", total)
		}
		return err
	}, sim.Options{Seeds: 300})
}

// A transfer that is cancelled has been made or has not.
func TestBank_CancelledAtEveryMoment(t *testing.T) {
	sim.CancelEverywhere(t, func(ctx context.Context, w *sim.World) error {
		ada, bob := &account{owner: "Ada", balance: 100}, &account{owner: "Bob", balance: 100}
		other := asyncio.Go(ctx, func(ctx context.Context) error { return transfer(ctx, ada, bob, 5) })
		err := w.Victim(ctx, func(ctx context.Context) error { return transfer(ctx, ada, bob, 30) })
		if _, err := other.Await(ctx); err != nil {
			return err
		}
		want := 65
		if err != nil {
			want = 95
		}
		if ada.balance != want || bob.balance != 200-want || ada.lock.Locked() || bob.lock.Locked() {
			return fmt.Errorf("transfer: %w; Ada has %d, Bob %d", err, ada.balance, bob.balance)
		}
		return nil
	}, sim.Options{})
}
