package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// memory is how many bytes the server and this test use.
func memory() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

// Requests that are never finished cost what was sent of them.
func TestHostile_HalfARequest(t *testing.T) {
	r := start(t, "tcp", defaultLimits)
	before := memory()
	for i := range 200 {
		c := r.dial()
		c.write([]string{
			"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n1 GiB will not follow",
			"*1000000000\r\n$1\r\n",
			"*2\r\n$4\r\nEC",
			"GET without an end",
		}[i%4])
	}
	r.until("all are there", func(e *engine) bool { return e.stats.clients == 200 })
	good := r.dial()
	good.want("PING", "+PONG")
	if grown := memory() - before; grown > 16<<20 {
		t.Errorf("200 connections with half a request use %d KiB", grown>>10)
	}
}

// A request above the limit is refused when it is announced, or when it arrives.
func TestHostile_Limits(t *testing.T) {
	r := start(t, "tcp", limits{bulk: 1 << 20, request: 4 << 20, unsent: 1 << 20})
	for _, c := range []struct{ sent, got string }{
		{"*1\r\n$1048577\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
		{"*1000000\r\n" + strings.Repeat("$1048576\r\n"+strings.Repeat("x", 1<<20)+"\r\n", 4), "-ERR Protocol error: too big request\r\n"},
		{strings.Repeat("x", 1<<20), "-ERR Protocol error: too big inline request\r\n"},
	} {
		client := r.dial()
		go io.WriteString(client.conn, c.sent) // which the server does not read to its end
		got := make([]byte, len(c.got))
		if _, err := io.ReadFull(client.conn, got); err != nil || string(got) != c.got {
			t.Errorf("%.20q: %q, %v, want %q", c.sent, got, err, c.got)
		}
	}
	c := r.dial()
	c.want("MULTI", "+OK")
	v := strings.Repeat("v", 1<<20)
	for range 3 {
		if got := c.do("SET", "k", v); got != "+QUEUED\r\n" {
			t.Errorf("SET: %q", got)
		}
	}
	if got := c.do("SET", "k", v); got != "-ERR transaction is too large\r\n" {
		t.Errorf("SET: %q", got)
	}
	c.want("EXEC", "-EXECABORT Transaction discarded because of previous errors.")
	c.do("SET", "k", v)
	c.want("APPEND k x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)")
}

// A short request can have a reply without measure. That client is disconnected.
func TestHostile_EndlessReply(t *testing.T) {
	r := start(t, "tcp", limits{bulk: 1 << 20, request: 4 << 20, unsent: 1 << 20})
	good, bad := r.dial(), r.dial()
	good.do("SET", "k", strings.Repeat("v", 1<<20))
	before := memory()
	bad.send(append([]string{"MGET"}, slices.Repeat([]string{"k"}, 100_000)...)...) // 100 GB
	if n, err := io.Copy(io.Discard, bad.conn); err == nil {
		t.Errorf("%d bytes came, and the end; want a reset", n)
	}
	r.until("it is forgotten", func(e *engine) bool { return e.stats.clients == 1 })
	good.want("STRLEN k", ":1048576")
	if grown := memory() - before; grown > 32<<20 {
		t.Errorf("%d KiB are in use for it", grown>>10)
	}
}

// Clients that send and never read are not executed any further, and hold little. They
// come over a Unix socket: over TCP, so many full buffers use up what the system has for
// all connections, and it resets some of other programs.
func TestHostile_ClientsThatNeverRead(t *testing.T) {
	n := min(10_000, (filesAllowed(t)-200)/2)
	r := start(t, "unix", defaultLimits)
	good := r.dial()
	good.do("SET", "k", strings.Repeat("v", 1000))
	before := memory()
	conns := make([]net.Conn, 0, n)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	const each = 1000 // requests, with 1 MB of replies
	requests := []byte(strings.Repeat(request("GET", "k"), each))
	for range n {
		c, err := net.Dial("unix", r.address)
		if errors.Is(err, syscall.EAGAIN) { // the queue of the listener is full
			r.until("all so far are accepted", func(e *engine) bool { return e.stats.clients == len(conns)+1 })
			c, err = net.Dial("unix", r.address)
		}
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		_ = c.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := c.Write(requests); err != nil {
			t.Fatal(err)
		}
	}
	r.until("all are there", func(e *engine) bool { return e.stats.clients == n+1 })
	good.want("PING", "+PONG")
	r.look(func(e *engine) {
		if e.stats.requests > n*each/2 {
			t.Errorf("%d of %d requests were executed; nobody reads the replies", e.stats.requests, n*each)
		}
	})
	perClient := (memory() - before) / n
	t.Logf("%d clients that never read: %d KiB each", n, perClient>>10)
	if perClient > 2*maxReplies+maxLine {
		t.Errorf("each client that never reads holds %d KiB", perClient>>10)
	}
}

// All bytes of a request at once, or one by one; and 10,000 requests at once.
func TestHostile_Pieces(t *testing.T) {
	r := start(t, "tcp", defaultLimits)
	c := r.dial()
	for _, b := range []byte(request("SET", "k", "a value")) {
		c.write(string(b))
	}
	c.wantNext("+OK")
	var all strings.Builder
	for i := range 10_000 {
		all.WriteString(request("SET", fmt.Sprint("k", i%100), fmt.Sprint(i)) + request("INCR", "n"))
	}
	go io.WriteString(c.conn, all.String())
	for i := range 10_000 {
		c.wantNext("+OK")
		c.wantNext(fmt.Sprint(":", i+1))
	}
	big := strings.Repeat("0123456789abcdef", 1<<20)
	go io.WriteString(c.conn, request("SET", "big", big)+request("GET", "big"))
	c.wantNext("+OK")
	if got := c.receive(); got != fmt.Sprintf("$%d\r\n%s\r\n", len(big), big) {
		t.Errorf("16 MiB come back as %d bytes", len(got))
	}
}
