package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// A churner makes connections for a while: for each, it dials address, calls
// exchange and closes.
type churner func(address string, work func(dial func() (net.Conn, error)) error) error

// churners are the clients that can be measured.
var churners = map[string]churner{"net": churnNet}

func churnNet(address string, work func(dial func() (net.Conn, error)) error) error {
	return work(func() (net.Conn, error) { return net.Dial("tcp", address) })
}

// churn opens a connection, exchanges a message and closes it, many times, and
// measures what that leaves behind in this process. The server is any of echo.
func churn(o *options) error {
	churner := churners[o.peer]
	if churner == nil {
		return fmt.Errorf("no client is called %q", o.peer)
	}
	s, err := start(o.command, o.server)
	if err != nil {
		return err
	}
	defer s.kill()
	addr, err := s.addr()
	if err != nil {
		return err
	}
	t := newTraffic(o.size)
	return churner(addr.String(), func(dial func() (net.Conn, error)) error {
		// Caches fill, and the pollers start.
		if err := exchanges(t, min(o.requests, 1000), dial); err != nil {
			return err
		}
		return measureChurn(o, t, dial)
	})
}

func measureChurn(o *options, t *traffic, dial func() (net.Conn, error)) error {
	before, err := takeStock()
	if err != nil {
		return err
	}
	began, usedBefore := t.now(), ownTime()
	if err := exchanges(t, o.requests, dial); err != nil {
		return err
	}
	took, used := t.now()-began, ownTime()-usedBefore
	after, err := takeStock()
	if err != nil {
		return err
	}
	n := float64(o.requests)
	printLine("Churn", o.peer, int64(o.requests),
		metric{float64(used) / n, "cpu-ns/op"},
		metric{n / took.Seconds(), "op/s"},
		metric{float64(after.files - before.files), "files-left"},
		metric{float64(after.goroutines - before.goroutines), "goroutines-left"},
		metric{float64(after.bytes-before.bytes) / n, "B-left/op"})
	return nil
}

// exchanges makes n connections one after the other.
func exchanges(t *traffic, n int, dial func() (net.Conn, error)) error {
	for i := range n {
		if err := exchange(t, i%windows, dial); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	return nil
}

func exchange(t *traffic, window int, dial func() (net.Conn, error)) error {
	c, err := dial()
	if err != nil {
		return err
	}
	defer c.Close()
	message, answer := t.pattern[window:window+t.size], t.buf[:t.size]
	if _, err := c.Write(message); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, answer); err != nil {
		return err
	}
	if !bytes.Equal(answer, message) {
		return errCorrupt
	}
	return nil
}

// ownTime is what this process has used of its processors.
func ownTime() time.Duration {
	used, err := clock(os.Getpid(), schedClock)
	if err != nil {
		panic(err) // one's own clock can be read
	}
	return used
}

// A stock is what this process has.
type stock struct{ files, goroutines, bytes int }

func takeStock() (stock, error) {
	debug.FreeOSMemory()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return stock{}, err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return stock{len(files), runtime.NumGoroutine(), int(m.HeapInuse + m.StackInuse)}, nil
}
