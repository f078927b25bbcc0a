package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestBlocking_FirstComeFirstServed(t *testing.T) {
	staged(t, 50, func(_ context.Context, s *stage) {
		pusher := s.call()
		var waiters []*caller
		for i := range 10 {
			c := s.call()
			c.send("BLPOP", "other", "l", "0")
			s.wantBlocked(i + 1)
			waiters = append(waiters, c)
		}
		pusher.want("RPUSH l 0 1 2 3 4 5", ":6")
		pusher.want("LLEN l", ":0")
		pusher.want("RPUSH l 6 7 8 9 10", ":5")
		for i, c := range waiters {
			c.wantNext(fmt.Sprintf("*2 $1 l $1 %d", i))
		}
		pusher.want("LRANGE l 0 -1", "*1 $2 10")
	})
}

func TestBlocking_Timeout(t *testing.T) {
	staged(t, 50, func(_ context.Context, s *stage) {
		c, began := s.call(), s.w.Now()
		c.want("BLPOP l 60", "*-1")
		if took := s.w.Now() - began; took < time.Minute || took > time.Minute+20*time.Millisecond {
			s.fail(fmt.Errorf("a minute took %v", took))
		}
		c.want("RPUSH l x", ":1")
		c.want("BRPOP l 60", "*2 $1 l $1 x")
	})
}

// What is sent behind a blocking pop waits for it.
func TestBlocking_Pipelined(t *testing.T) {
	staged(t, 5, func(ctx context.Context, s *stage) {
		const pings = 20_000 // more than the server keeps, and the network
		c, pusher := s.call(), s.call()
		writer := asyncio.Go(ctx, func(context.Context) error {
			c.write(request("BLPOP", "l", "0") + strings.Repeat(request("PING"), pings))
			return c.err
		})
		s.wantBlocked(1)
		if writer.Done() {
			s.fail(errors.New("a server that waits reads on"))
		}
		pusher.want("RPUSH l x", ":1")
		c.wantNext("*2 $1 l $1 x")
		for range pings {
			c.wantNext("+PONG")
		}
	})
}

// A waiter that disconnects is given nothing.
func TestBlocking_Disconnect(t *testing.T) {
	staged(t, 50, func(_ context.Context, s *stage) {
		pusher, first, second := s.call(), s.call(), s.call()
		first.send("BLPOP", "l", "0")
		s.wantBlocked(1)
		second.send("BLPOP", "l", "0")
		s.wantBlocked(2)
		_ = first.conn.Close()
		s.wantBlocked(1)
		pusher.want("RPUSH l x", ":1")
		second.wantNext("*2 $1 l $1 x")
	})
}

// A client that is found gone in the very step in which it is served gives back
// what it was given, to the next who waits.
func TestBlocking_GiveBack(t *testing.T) {
	e := newEngine(newClock().now, defaultLimits)
	gone, next, pusher := connect(t, e), connect(t, e), connect(t, e)
	gone.send("BRPOP", "l", "0")
	w := gone.s.waiting
	w.wake = func() {}
	next.send("BLPOP", "l", "0")
	pusher.want("RPUSH l x", ":1")
	if !w.served || next.s.waiting == nil {
		t.Fatalf("the first is served: %v", w.served)
	}
	gone.s.finish(w, true)
	if got := show(next.receive()); got != "*2 $1 l $1 x" {
		t.Errorf("the next received %s", got)
	}

	gone.send("BRPOP", "l", "0")
	w = gone.s.waiting
	w.wake = func() {}
	pusher.want("RPUSH l x y", ":2")
	gone.s.finish(w, true)
	pusher.want("LRANGE l 0 -1", "*2 $1 x $1 y")
	if gone.got.Len() > 0 || e.stats.blocked != 0 {
		t.Errorf("the client that is gone received %q, %d blocked", &gone.got, e.stats.blocked)
	}
}

// Timeouts strike while elements are pushed. Each of these is received once, or is
// still there.
func TestBlocking_TimeoutsLoseNothing(t *testing.T) {
	const clients, elements = 5, 30
	staged(t, 200, func(ctx context.Context, s *stage) {
		var got []string
		over := false
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range clients {
				c := s.call()
				g.Go(func(context.Context) error {
					for !over && c.err == nil {
						if reply := c.ask("BLPOP l 0.001"); reply != "*-1" {
							got = append(got, lastWord(reply))
						}
					}
					return nil
				})
			}
			pusher := s.call()
			for i := range elements {
				pusher.ask(fmt.Sprint("RPUSH l ", i))
			}
			over = true
			return pusher.err
		})
		s.fail(err)
		for _, word := range strings.Fields(s.call().ask("LRANGE l 0 -1")) {
			if word[0] != '*' && word[0] != '$' {
				got = append(got, word)
			}
		}
		slices.Sort(got)
		if n := len(got); n != elements || len(slices.Compact(got)) != n {
			s.fail(fmt.Errorf("of %d elements %d were received or are there: %s", elements, n, got))
		}
	})
}
