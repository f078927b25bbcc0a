package replica_test

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/examples/raftkv/replica"
	"github.com/asyncio-go/asyncio/sim"
)

// torment does something bad to the cluster now and then, for some time. What is drawn
// as 0 is nothing bad.
func (c *cluster) torment(ctx context.Context) error {
	for range 6 {
		if err := asyncio.Sleep(ctx, time.Duration(1+c.w.Draw(8))*50*time.Millisecond); err != nil {
			return err
		}
		c.strike()
		if err := asyncio.Sleep(ctx, time.Duration(1+c.w.Draw(16))*50*time.Millisecond); err != nil {
			return err
		}
		if c.w.Draw(3) > 0 {
			c.repair()
		}
	}
	return nil
}

// strike is one fault, half of the time of the leader.
func (c *cluster) strike() {
	victim := c.leader
	if c.w.Draw(2) == 1 {
		victim = c.w.Draw(nodes)
	}
	one := []*sim.Host{c.hosts[victim]}
	var others []*sim.Host
	for i, h := range c.hosts {
		if i != victim {
			others = append(others, h)
		}
	}
	net := c.w.Net()
	switch c.w.Draw(10) {
	case 1:
		net.Partition(one, others) // clients reach both sides
	case 2:
		net.Partition(one, nil)
	case 3:
		net.PartitionOneWay(one, others)
	case 4:
		net.Hold(one, others)
	case 5:
		one[0].Pause()
	case 6:
		one[0].Crash()
	case 7:
		one[0].Restart()
	case 8: // the power fails, and comes back
		for _, h := range c.hosts {
			h.Restart()
		}
	case 9:
		net.Rule(c.resets)
	}
}

// resets resets connections now and then, in the middle of what they carry.
func (c *cluster) resets(p sim.Packet) sim.Verdict {
	if p.Kind == sim.PacketData && c.w.Chance(10) {
		return sim.Reset
	}
	return sim.Deliver
}

// repair ends all that is bad.
func (c *cluster) repair() {
	c.w.Net().Heal()
	c.w.Net().Rule(nil)
	for _, h := range c.hosts {
		h.Resume()
		if !h.Alive() {
			h.Restart()
		}
	}
}

// recover checks that the cluster works as soon as nothing disturbs it, and what of.
func (c *cluster) recover(ctx context.Context) error {
	c.w.Quiet()
	c.repair()
	k := &replica.Client{Addrs: []string{"n1" + port}, Patience: 400 * time.Millisecond}
	defer k.Close()
	for _, key := range []string{"a", "b"} {
		for i := range nodes {
			k.Addrs = []string{fmt.Sprint("n", i+1, port)}
			command := replica.Command{Verb: "get", Args: []string{key}}
			called := c.history.tick()
			r, err := asyncio.WaitFor(ctx, time.Minute, func(ctx context.Context) (replica.Reply, error) {
				return k.Do(ctx, command.Verb, command.Args...)
			})
			if err != nil {
				return fmt.Errorf("a minute after all was well again, n%d answers no get: %w", i+1, err)
			}
			c.history.add(clients, called, command, r, nil)
			k.Close()
		}
	}
	return nil
}
