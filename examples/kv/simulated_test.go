package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// The server on a simulated host, with clients on others, over a network with faults.

// network are the faults that change nothing of what clients see, but when.
const network = sim.FaultLatency | sim.FaultLoss | sim.FaultPause

// simulated starts a server on a host and waits until it listens.
func simulated(ctx context.Context, w *sim.World, clock func() time.Time, serve func(ctx context.Context, e *engine, l *aionet.Listener) error) (*engine, *sim.Host, error) {
	e := newEngine(clock, defaultLimits)
	h := w.Host(ctx, "kv", func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", ":6379")
		if err != nil {
			return err
		}
		defer l.Close()
		if err := serve(ctx, e, l); !errors.Is(err, context.Canceled) && !errors.Is(err, asyncio.ErrTimeout) {
			return err
		}
		return nil
	})
	return e, h, w.Settle(ctx)
}

func plainly(ctx context.Context, e *engine, l *aionet.Listener) error { return e.serve(ctx, l) }

// A caller is a client over a simulated connection, which has failed once err is set.
type caller struct {
	conn *aionet.Conn
	r    *bufio.Reader
	err  error
}

func call(ctx context.Context) (*caller, error) {
	conn, err := aionet.Dial(ctx, "tcp", "kv:6379")
	if err != nil {
		return nil, err
	}
	return &caller{conn: conn, r: bufio.NewReader(conn)}, nil
}

func (c *caller) send(args ...string) {
	if c.err == nil {
		_, c.err = c.conn.Write([]byte(request(args...)))
	}
}

func (c *caller) receive() (reply string) {
	if c.err == nil {
		reply, c.err = readReply(c.r)
	}
	return reply
}

// ask is the reply to a line of words, as show shows it.
func (c *caller) ask(line string) string {
	c.send(strings.Fields(line)...)
	return show(c.receive())
}

// Random conversations over the network are those that an engine has by itself.
func TestSimulated_RepliesAreTheEngines(t *testing.T) {
	sim.Test(t, func(ctx context.Context, w *sim.World) error {
		clock := newClock().now // two engines that are asked at different times
		_, host, err := simulated(ctx, w, clock, plainly)
		if err != nil {
			return err
		}
		model := newEngine(clock, defaultLimits)
		var real, ours []client
		for range 2 {
			c, err := call(ctx)
			if err != nil {
				return err
			}
			defer c.conn.Close()
			one := &local{t: t}
			one.s = model.open(one)
			real, ours = append(real, c), append(ours, one)
		}
		g := newGenerator(0)
		g.Rand = rand.New(rand.NewPCG(uint64(w.Draw(1<<20)), 1))
		if err := differ(g, 100, real, ours); err != nil {
			return err
		}
		w.Quiet()
		host.Crash()
		return nil
	}, sim.Options{Seeds: 300, Faults: network})
}

// consumers are clients that come and go, and what they were given.
type consumers struct {
	received   []string
	unanswered int  // requests
	over       bool // they are to end
}

// run asks, on a new connection whenever the last has failed.
func (all *consumers) run(ctx context.Context) error {
	for !all.over && ctx.Err() == nil {
		if c, err := call(ctx); err == nil {
			for !all.over && c.err == nil {
				all.pop(ctx, c)
			}
			c.conn.Abort() // it vanishes
		}
		_ = asyncio.Sleep(ctx, time.Second)
	}
	return nil
}

func (all *consumers) pop(ctx context.Context, c *caller) {
	all.unanswered++
	reply := c.ask("BLPOP l 1")
	if c.err != nil {
		return
	}
	if all.unanswered--; reply != "*-1" {
		element := lastWord(reply)
		sim.Always(ctx, !slices.Contains(all.received, element), "an element is received once")
		all.received = append(all.received, element)
	}
}

// What consumers are given, they are given once. Of what is missing in the end, the
// server cannot know: a client that is gone had asked for it.
func TestSimulated_AQueueGivesNothingTwice(t *testing.T) {
	const elements = 20
	sim.Test(t, func(ctx context.Context, w *sim.World) error {
		e, host, err := simulated(ctx, w, w.Clock().Now, plainly)
		if err != nil {
			return err
		}
		host.Spare()
		all := &consumers{}
		for i := range 3 {
			w.Host(ctx, fmt.Sprint("consumer", i), all.run)
		}
		producer, err := call(ctx)
		if err != nil {
			return err
		}
		defer producer.conn.Close()
		for i := range elements {
			producer.ask(fmt.Sprint("RPUSH l ", i))
			if err := asyncio.Sleep(ctx, time.Duration(w.Draw(3))*100*time.Millisecond); err != nil {
				return err
			}
		}
		w.Quiet()
		all.over = true
		if err := asyncio.Sleep(ctx, time.Hour); err != nil { // until the server knows who is gone
			return err
		}
		left, _ := strconv.Atoi(strings.TrimPrefix(producer.ask("LLEN l"), ":"))
		missing := elements - left - len(all.received)
		sim.Sometimes(ctx, missing > 0, "what was given to a client that was gone is missing")
		if missing < 0 || missing > all.unanswered {
			return fmt.Errorf("%d elements are missing, and %d clients may have been given one", missing, all.unanswered)
		}
		if e.stats.clients != 1 || e.stats.blocked != 0 {
			return fmt.Errorf("%d clients, %d blocked; want the producer alone", e.stats.clients, e.stats.blocked)
		}
		host.Crash()
		return producer.err
	}, sim.Options{Seeds: 300, Faults: network | sim.FaultCrash | sim.FaultPartition})
}

// counters are clients that raise a counter in transactions that watch it.
type counters struct {
	tried, raised, disturbed int
	over                     bool // they are to end
}

func (all *counters) run(ctx context.Context) error {
	for !all.over && ctx.Err() == nil {
		if c, err := call(ctx); err == nil {
			for !all.over && c.err == nil {
				all.raise(ctx, c)
			}
			c.conn.Abort()
		}
		_ = asyncio.Sleep(ctx, time.Second)
	}
	return nil
}

func (all *counters) raise(ctx context.Context, c *caller) {
	c.ask("WATCH n")
	n, _ := strconv.Atoi(lastWord(c.ask("GET n")))
	c.ask("MULTI")
	if c.ask(fmt.Sprint("SET n ", n+1)); c.err != nil {
		return
	}
	all.tried++
	reply := c.ask("EXEC")
	switch {
	case c.err != nil:
	case reply == "*1 +OK":
		all.raised++
	case reply == "*-1":
		all.disturbed++
	default:
		sim.Unreachable(ctx, "EXEC replies "+reply)
	}
}

// The counter counts the transactions that succeeded, and maybe those of which nobody
// has heard.
func TestSimulated_TransactionsCountRight(t *testing.T) {
	sim.Test(t, func(ctx context.Context, w *sim.World) error {
		_, host, err := simulated(ctx, w, w.Clock().Now, plainly)
		if err != nil {
			return err
		}
		host.Spare()
		all := &counters{}
		for i := range 3 {
			w.Host(ctx, fmt.Sprint("client", i), all.run)
		}
		if err := asyncio.Sleep(ctx, 500*time.Millisecond); err != nil {
			return err
		}
		w.Quiet()
		all.over = true
		if err := asyncio.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		c, err := call(ctx)
		if err != nil {
			return err
		}
		defer c.conn.Close()
		n, _ := strconv.Atoi(lastWord(c.ask("GET n")))
		sim.Sometimes(ctx, all.disturbed > 0, "two meet")
		unheard := all.tried - all.raised - all.disturbed
		sim.Sometimes(ctx, n > all.raised, "one succeeds of which nobody hears")
		if n < all.raised || n > all.raised+unheard {
			return fmt.Errorf("the counter is %d; %d transactions succeeded, and of %d nothing was heard", n, all.raised, unheard)
		}
		host.Crash()
		return c.err
	}, sim.Options{Seeds: 300, Faults: network | sim.FaultCrash | sim.FaultPartition})
}

func lastWord(reply string) string { return reply[strings.LastIndexByte(reply, ' ')+1:] }

// A server that ends at any moment leaves nothing of its clients, whatever they do.
func TestSimulated_ServerEndsAtEveryMoment(t *testing.T) {
	sim.CancelEverywhere(t, func(ctx context.Context, w *sim.World) error {
		e, host, err := simulated(ctx, w, w.Clock().Now, func(ctx context.Context, e *engine, l *aionet.Listener) error {
			return asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
				return w.Victim(ctx, func(ctx context.Context) error { return e.serve(ctx, l) })
			})
		})
		if err != nil {
			return err
		}
		err = asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, lines := range [][]string{
				{"BLPOP l 0"},
				{"SUBSCRIBE a b"},
				{"WATCH n", "MULTI", "SET n 1"},
				{"SET k v", "EXPIRE k 1", "RPUSH l x", "PUBLISH a x", "BLPOP m 0.1", "GET k"},
			} {
				g.Go(func(ctx context.Context) error { return toTheEnd(ctx, lines) })
			}
			return nil
		})
		if err != nil {
			return err
		}
		return errors.Join(host.Wait(ctx), e.leftovers())
	}, sim.Options{Seeds: 20})
}

// toTheEnd asks for the lines and then receives what comes until the server is gone.
func toTheEnd(ctx context.Context, lines []string) error {
	c, err := call(ctx)
	if err != nil {
		return nil // it is gone already
	}
	defer c.conn.Close()
	for _, line := range lines {
		c.ask(line)
	}
	for c.err == nil {
		c.receive()
	}
	return nil
}
