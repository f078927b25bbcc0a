package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// A subscriber that does not read is disconnected at the bound; others do not
// notice.
func TestPubsub_SlowSubscriber(t *testing.T) {
	l := defaultLimits
	l.unsent = 1 << 20
	r := start(t, "tcp", l)
	slow, quick, publisher := r.dial(), r.dial(), r.dial()
	slow.want("SUBSCRIBE news", "*3 $9 subscribe $4 news :1")
	quick.want("PSUBSCRIBE n*", "*3 $10 psubscribe $2 n* :1")
	message := strings.Repeat("x", 64<<10)
	receivers := ":2\r\n"
	for i := 0; receivers == ":2\r\n"; i++ {
		if i > 1000 {
			t.Fatal("64 MiB are unread and the subscriber is still there")
		}
		receivers = publisher.do("PUBLISH", "news", message)
		quick.receive()
	}
	if receivers != ":1\r\n" {
		t.Errorf("receivers: %q", receivers)
	}
	r.until("it is forgotten", func(e *engine) bool { return e.stats.clients == 2 })
	if n, err := io.Copy(io.Discard, slow.conn); err == nil {
		t.Errorf("the slow subscriber could read %d bytes, and then the end; want a reset", n)
	}
	quick.want("PUNSUBSCRIBE", "*3 $12 punsubscribe $2 n* :0")
}

func TestPubsub_ManySubscribers(t *testing.T) {
	r := start(t, "unix", defaultLimits)
	publisher := r.dial()
	var all []*remote
	for range 100 {
		c := r.dial()
		c.want("SUBSCRIBE a b", "*3 $9 subscribe $1 a :1")
		c.wantNext("*3 $9 subscribe $1 b :2")
		all = append(all, c)
	}
	for i := range 50 {
		publisher.want(fmt.Sprintf("PUBLISH a %02d", i), ":100")
		publisher.want(fmt.Sprintf("PUBLISH b %02d", i), ":100")
	}
	for _, c := range all {
		for i := range 50 {
			c.wantNext(fmt.Sprintf("*3 $7 message $1 a $2 %02d", i))
			c.wantNext(fmt.Sprintf("*3 $7 message $1 b $2 %02d", i))
		}
		c.conn.Close()
	}
	r.until("they are forgotten", func(e *engine) bool { return e.stats.clients == 1 })
	publisher.want("PUBLISH a x", ":0")
}

func TestPubsub_ResetAndQuit(t *testing.T) {
	e := newEngine(newClock().now, defaultLimits)
	a, b := connect(t, e), connect(t, e)
	a.want("SUBSCRIBE x", "*3 $9 subscribe $1 x :1")
	a.want("PSUBSCRIBE x*", "*3 $10 psubscribe $2 x* :2")
	b.want("PUBLISH x y", ":2")
	a.want("RESET", "*3 $7 message $1 x $1 y") // which came first
	_, _ = a.receive(), a.receive()
	b.want("PUBLISH x y", ":0")
	a.want("PING", "+PONG")
	a.want("QUIT", "+OK")
	if !a.s.closing {
		t.Error("QUIT does not close")
	}
}
