package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestExpiry(t *testing.T) {
	clock := newClock()
	c := connect(t, newEngine(clock.now, defaultLimits))
	c.want("SET k v PX 1500", "+OK")
	c.want("TTL k", ":2") // rounded
	c.want("PTTL k", ":1500")
	clock.advance(1001 * time.Millisecond)
	c.want("TTL k", ":0")
	clock.advance(499 * time.Millisecond)
	c.want("PTTL k", ":0")
	c.want("GET k", "$1 v") // in its last millisecond
	clock.advance(time.Millisecond)
	c.want("DBSIZE", ":1") // nobody has looked
	c.want("KEYS *", "*0")
	c.want("SCAN 0", "*2 $1 0 *0")
	c.want("GET k", "$-1")
	c.want("DBSIZE", ":0")
	c.want("TTL k", ":-2")

	c.want("SET k v EX 10", "+OK")
	c.want("INCR n", ":1")
	c.want("EXPIRE n 5", ":1")
	c.want("INCR n", ":2") // keeps its expiry
	c.want("SET k w KEEPTTL", "+OK")
	c.want("TTL k", ":10")
	c.want("SET k w GET", "$1 w")
	c.want("TTL k", ":-1")
	c.want("RPUSH l x y", ":2")
	c.want("PEXPIRE l 5000", ":1")
	c.want("LPOP l", "$1 x")
	clock.advance(5001 * time.Millisecond)
	c.want("LLEN l", ":0")
	c.want("RPUSH l z", ":1")
	c.want("TTL l", ":-1") // another list
	c.want("INCR n", ":1")
	c.want("TTL n", ":-1")

	c.want("PEXPIRE l 100", ":1")
	c.want("PEXPIRE l 50 GT", ":0")
	c.want("PEXPIRE l 200 LT", ":0")
	c.want("PEXPIRE l 100 GT", ":0")
	c.want("PEXPIRE l 200 GT", ":1")
	c.want("PTTL l", ":200")
	c.want("PERSIST l", ":1")
	c.want("PTTL l", ":-1")
	c.want("SET l text KEEPTTL EX 1", "-"+syntax)
}

// A watched key that expires has changed.
func TestExpiry_IsAChange(t *testing.T) {
	clock := newClock()
	c := connect(t, newEngine(clock.now, defaultLimits))
	for _, watch := range []string{"before", "after"} {
		c.want("SET k v PX 10", "+OK")
		if watch == "before" {
			c.want("WATCH k", "+OK")
		}
		clock.advance(11 * time.Millisecond)
		c.want("WATCH k", "+OK")
		c.want("MULTI", "+OK")
		if want := map[string]string{"before": "*-1", "after": "*0"}[watch]; show(c.do("EXEC")) != want {
			t.Errorf("watched %s it expires: want %s", watch, want)
		}
	}
}

// The sweeper removes what nobody asks for, when it expires.
func TestExpiry_Sweeper(t *testing.T) {
	clock := &asyncio.ManualClock{}
	r := asyncio.Runner{Options: asyncio.LoopOptions{Clock: clock}}
	err := r.Run(t.Context(), func(ctx context.Context) error {
		e := newEngine(clockOf(ctx), defaultLimits)
		c := connect(t, e)
		sweeper := asyncio.Go(ctx, e.keepSweeping)
		sizes := func(after time.Duration) string {
			if err := asyncio.Sleep(ctx, after); err != nil {
				t.Error(err)
			}
			return fmt.Sprint(e.dbs[0].keys.len(), e.dbs[1].keys.len(), len(e.dbs[0].expiring), e.stats.expired)
		}
		_ = sizes(time.Hour) // it waits for the first key that expires
		for i := range 1000 {
			c.do("SET", fmt.Sprint("k", i), "v", "PX", fmt.Sprint(1000+i))
		}
		c.do("SET", "stays", "v")
		c.do("SELECT", "1")
		c.do("SET", "soon", "v", "PX", "10")
		for _, step := range []struct {
			after time.Duration
			want  string
		}{
			{9 * time.Millisecond, "1001 1 1000 0"},
			{2 * time.Millisecond, "1001 0 1000 1"},
			{989 * time.Millisecond, "1001 0 1000 1"},
			{1500 * time.Microsecond, "1000 0 999 2"},
			{500 * time.Millisecond, "500 0 499 502"},
			{time.Hour, "1 0 0 1001"},
		} {
			if got := sizes(step.after); got != step.want {
				t.Errorf("after %v: %s, want %s", step.after, got, step.want)
			}
		}
		sweeper.Cancel(nil)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
