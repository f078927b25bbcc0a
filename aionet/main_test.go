package aionet_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
	"github.com/asyncio-go/asyncio/sim"
)

func TestMain(m *testing.M) { os.Exit(asynciotest.Run(m)) }

// patience is how long a test may take; nothing waits for it to pass.
const patience = 30 * time.Second

// runLogged runs main on a loop of its own and returns what was logged. It fails the
// test if main fails, or if a goroutine or a descriptor is left.
func runLogged(t *testing.T, main func(ctx context.Context) error) string {
	t.Helper()
	return runWith(t, asyncio.LoopOptions{}, main)
}

// runWith is runLogged with options of the loop.
func runWith(t *testing.T, o asyncio.LoopOptions, main func(ctx context.Context) error) string {
	t.Helper()
	before := descriptors(t)
	log := &asynciotest.Log{}
	o.Logger, o.SlowThreshold, o.StallThreshold = slog.New(log), -1, -1
	r := &asyncio.Runner{Options: o}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Run(ctx, main); err != nil {
		t.Errorf("Run: %v", err)
	}
	if left := asynciotest.Goroutines(0); left != "" {
		t.Errorf("goroutines left behind:\n%s", left)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	return log.Text()
}

// run is runLogged where nothing may be logged.
func run(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	if got := runLogged(t, main); got != "" {
		t.Errorf("logged:\n%s", got)
	}
}

// descriptors is how many there are, once Go's netpoller has made its own.
func descriptors(t *testing.T) int {
	t.Helper()
	once.Do(func() {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = r.Close(), w.Close()
	})
	names, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Skipf("descriptors cannot be counted here: %v", err)
	}
	return len(names)
}

var once sync.Once

// connect is both ends of a new TCP connection.
func connect(t *testing.T, ctx context.Context) (client, server *aionet.Conn) {
	t.Helper()
	return connectVia(t, ctx, "tcp", "127.0.0.1:0", &aionet.Dialer{})
}

func connectVia(t *testing.T, ctx context.Context, network, address string, d *aionet.Dialer) (client, server *aionet.Conn) {
	t.Helper()
	l, err := aionet.Listen(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := asyncio.Spawn(ctx, l.Accept)
	if client, err = d.Dial(ctx, network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = accepted.Await(ctx); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// wantErr fails the test if err does not say so.
func wantErr(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("error %v, want one with %q", err, part)
	}
}

// wantPanic fails the test if f does not panic, saying so.
func wantPanic(t *testing.T, part string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); !strings.Contains(got, part) {
			t.Errorf("panic %q, want one with %q", got, part)
		}
	}()
	f()
}

// waiting returns once all of the tasks wait.
func waiting(t *testing.T, ctx context.Context, tasks ...asyncio.AnyTask) {
	t.Helper()
	for _, task := range tasks {
		for task.State() != asyncio.Waiting {
			pause(t, ctx)
		}
	}
}

// pause lets everything run that is ready; in simulation also what that makes ready.
func pause(t *testing.T, ctx context.Context) {
	t.Helper()
	if w := sim.From(ctx); w != nil {
		if err := w.Settle(ctx); err != nil {
			t.Fatal(err)
		}
		return
	}
	for range 3 {
		if err := asyncio.Yield(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
