package main

import (
	"fmt"
	"strings"
	"testing"
)

func blocked(n int) func(*engine) bool {
	return func(e *engine) bool { return e.stats.blocked == n }
}

func TestBlocking_FirstComeFirstServed(t *testing.T) {
	r := start(t, "tcp", defaultLimits)
	pusher := r.dial()
	var waiters []*remote
	for i := range 10 {
		c := r.dial()
		c.send("BLPOP", "other", "l", "0")
		r.until("it waits", blocked(i+1))
		waiters = append(waiters, c)
	}
	pusher.want("RPUSH l 0 1 2 3 4 5", ":6")
	pusher.want("LLEN l", ":0")
	pusher.want("RPUSH l 6 7 8 9 10", ":5")
	for i, c := range waiters {
		c.wantNext(fmt.Sprintf("*2 $1 l $1 %d", i))
	}
	pusher.want("LRANGE l 0 -1", "*1 $2 10")
}

func TestBlocking_Timeout(t *testing.T) {
	r := start(t, "unix", defaultLimits)
	c := r.dial()
	c.want("BLPOP l 0.01", "*-1")
	c.want("RPUSH l x", ":1")
	c.want("BRPOP l 0.01", "*2 $1 l $1 x")
}

// What is sent behind a blocking pop waits for it.
func TestBlocking_Pipelined(t *testing.T) {
	r := start(t, "tcp", defaultLimits)
	c, pusher := r.dial(), r.dial()
	c.write(request("BLPOP", "l", "0") + strings.Repeat(request("PING"), maxLine))
	r.until("it waits", blocked(1))
	pusher.want("RPUSH l x", ":1")
	c.wantNext("*2 $1 l $1 x")
	for range maxLine {
		c.wantNext("+PONG")
	}
}

// A waiter that disconnects is given nothing.
func TestBlocking_Disconnect(t *testing.T) {
	r := start(t, "tcp", defaultLimits)
	pusher, first, second := r.dial(), r.dial(), r.dial()
	first.send("BLPOP", "l", "0")
	r.until("the first waits", blocked(1))
	second.send("BLPOP", "l", "0")
	r.until("the second waits", blocked(2))
	first.conn.Close()
	r.until("the first is gone", blocked(1))
	pusher.want("RPUSH l x", ":1")
	second.wantNext("*2 $1 l $1 x")
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
	const clients, elements = 20, 2000
	r := start(t, "unix", defaultLimits)
	pusher := r.dial()
	received := make(chan []string, clients)
	done := make(chan struct{})
	for range clients {
		c := r.dial()
		go func() {
			var mine []string
			for ended := false; !ended; {
				select {
				case <-done:
					ended = true // after one more
				default:
				}
				if reply := show(c.do("BLPOP", "l", "0.001")); reply != "*-1" {
					mine = append(mine, reply[strings.LastIndexByte(reply, ' ')+1:])
				}
			}
			received <- mine
		}()
	}
	for i := range elements {
		pusher.do("RPUSH", "l", fmt.Sprint(i))
	}
	close(done)
	times := map[string]int{}
	for range clients {
		for _, e := range <-received {
			times[e]++
		}
	}
	for _, e := range strings.Fields(show(pusher.do("LRANGE", "l", "0", "-1"))) {
		if e[0] != '*' && e[0] != '$' {
			times[e]++
		}
	}
	for i := range elements {
		if n := times[fmt.Sprint(i)]; n != 1 {
			t.Errorf("element %d was received %d times", i, n)
		}
	}
}
