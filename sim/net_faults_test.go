package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// datagrams sends texts from the world to a host, and returns what has arrived ten
// seconds later.
func datagrams(ctx context.Context, w *sim.World, texts []string) (got []string, err error) {
	_, its := stay(ctx, w, "server")
	client, server, err := (venue{ctx, its, "server", 0}).sockets(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	defer server.Close()
	for _, text := range texts {
		if err := second(client.Write([]byte(text))); err != nil {
			return nil, err
		}
	}
	err = asyncio.Timeout(ctx, 10*time.Second, func(ctx context.Context) error {
		for buf := make([]byte, 100); ; {
			n, err := server.In(ctx).Read(buf)
			if err != nil {
				return err
			}
			got = append(got, string(buf[:n]))
		}
	})
	return got, wants("the last Read", err, asyncio.ErrTimeout)
}

func wantsDatagrams(ctx context.Context, w *sim.World, texts []string, want string) error {
	got, err := datagrams(ctx, w, texts)
	if err == nil && strings.Join(got, " ") != want {
		err = fmt.Errorf("received %q, want %q", got, want)
	}
	return err
}

var letters = strings.Split("abcdefghijklmnopqrstuvwxyz", "")

func TestDatagram_FaultsAreSwitchedOn(t *testing.T) {
	for _, test := range []struct {
		name   string
		set    func(n *sim.Network)
		normal func(got []string) bool // what would happen without the fault
	}{
		{"loss", func(n *sim.Network) { n.SetLoss(20) }, func(got []string) bool { return len(got) == 26 }},
		{"duplication", func(n *sim.Network) { n.SetDuplication(20) }, func(got []string) bool { return len(got) == 26 }},
		{"reordering", func(n *sim.Network) { n.SetReordering(20) }, slices.IsSorted[[]string]},
	} {
		explored(t, 100, func(ctx context.Context, w *sim.World) error {
			got, err := datagrams(ctx, w, letters)
			if err == nil && !test.normal(got) {
				err = fmt.Errorf("without %s: received %q", test.name, got)
			}
			return err
		})
		strange := atomic.Int64{}
		explored(t, 100, func(ctx context.Context, w *sim.World) error {
			test.set(w.Net())
			got, err := datagrams(ctx, w, letters)
			if err == nil && !test.normal(got) {
				strange.Add(1)
			}
			return err
		})
		if n := strange.Load(); n < 50 {
			t.Errorf("%s: in %d of 100 runs", test.name, n)
		}
	}
}

func TestLatency_IsThatOfTheLink(t *testing.T) {
	explored(t, 20, func(ctx context.Context, w *sim.World) error {
		near, nearby := stay(ctx, w, "near")
		far, faraway := stay(ctx, w, "far")
		n := w.Net()
		n.SetLatency(10*time.Millisecond, 10*time.Millisecond)
		n.SetLinkLatency(far, nil, time.Second, time.Second)
		for _, c := range []struct {
			its  context.Context
			host *sim.Host
			want time.Duration
		}{{nearby, near, 30 * time.Millisecond}, {faraway, far, 2010 * time.Millisecond}} {
			l, err := aionet.Listen(c.its, "tcp", ":80")
			if err != nil {
				return err
			}
			defer l.Close()
			began := w.Now()
			conn, err := dialWithin(ctx, time.Minute, c.host)
			if err != nil {
				return err
			}
			defer conn.Close()
			if got := w.Now() - began; got != c.want { // of the name, the request and the answer
				return fmt.Errorf("%v: %v, want %v", c.host, got, c.want)
			}
		}
		return nil
	})
}

func TestLatency_IsDrawnWithinItsRange(t *testing.T) {
	seen := map[time.Duration]int{}
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		n := w.Net()
		n.SetLatency(time.Millisecond, 4*time.Millisecond)
		_, its := stay(ctx, w, "server")
		client, server, err := (venue{ctx, its, "server", 0}).sockets(ctx)
		if err != nil {
			return err
		}
		began := w.Now()
		if err := second(client.Write([]byte("x"))); err != nil {
			return err
		}
		err = second(server.Read(make([]byte, 1)))
		seen[w.Now()-began]++
		return err
	}, sim.Options{Seeds: 200, Jobs: 1})
	if r.Failure != nil {
		t.Error(r.Failure)
	}
	for d := time.Millisecond; d <= 4*time.Millisecond; d += time.Millisecond {
		if seen[d] < 20 {
			t.Errorf("%v: %d times", d, seen[d])
		}
		delete(seen, d)
	}
	if len(seen) > 0 {
		t.Errorf("others: %v", seen)
	}
}

func TestBuffers_BoundWhatIsUnderWay(t *testing.T) {
	explored(t, 30, func(ctx context.Context, w *sim.World) error {
		w.Net().SetBuffers(100)
		_, its := stay(ctx, w, "server")
		client, server, err := (venue{ctx, its, "server", 0}).pair(ctx)
		if err != nil {
			return err
		}
		defer client.Close()
		defer server.Close()
		client.Enqueue(make([]byte, 1000))
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if got := client.Unsent(); got != 800 {
			return fmt.Errorf("%d of 1000 bytes are unsent with buffers of twice 100", got)
		}
		if err := second(io.ReadFull(server, make([]byte, 1000))); err != nil {
			return err
		}
		return client.Drain()
	})
}

func TestCrash_LeavesNothingBehind(t *testing.T) {
	for _, reset := range []bool{false, true} {
		staged(t, 50, func(ctx context.Context, s *stage) error {
			l, err := aionet.Listen(s.its, "tcp", ":80")
			if err != nil {
				return err
			}
			if err := write(s.server, "under way"); err != nil {
				return err
			}
			s.w.Net().Crash(s.host, reset)
			began := s.w.Now()
			_, err = s.client.Read(make([]byte, 9))
			if err := wants("Read", err, syscall.ECONNRESET); err != nil {
				return err
			}
			want := 15*time.Second + 5*time.Millisecond // the first probe
			if reset {
				want = 5 * time.Millisecond
			}
			if err := s.took(began, want); err != nil {
				return err
			}
			if err := wants("the server's Read", second(s.server.Read(make([]byte, 1))), net.ErrClosed); err != nil {
				return err
			}
			if _, err := dialWithin(ctx, time.Minute, s.host); !errors.Is(err, syscall.ECONNREFUSED) {
				return fmt.Errorf("Dial: %w", err)
			}
			return l.Close()
		})
	}
}

func TestCrash_IsHeardOfByWhoSends(t *testing.T) {
	staged(t, 50, func(ctx context.Context, s *stage) error {
		s.w.Net().Crash(s.host, false)
		began := s.w.Now()
		if err := write(s.client, "x"); err != nil {
			return err
		}
		if err := wants("Read", second(s.client.Read(make([]byte, 1))), syscall.ECONNRESET); err != nil {
			return err
		}
		return s.took(began, 10*time.Millisecond)
	})
}

func TestLookup_KnowsTheHosts(t *testing.T) {
	explored(t, 10, func(ctx context.Context, w *sim.World) error {
		_, its := stay(ctx, w, "db")
		var r aionet.Resolver
		for _, known := range [][2]string{{"db", "10.0.0.1"}, {"world", "10.1.0.1"}, {"localhost", "127.0.0.1"}, {"10.9.9.9", "10.9.9.9"}} {
			ips, err := r.LookupNetIP(its, "ip", known[0])
			if err != nil || len(ips) != 1 || ips[0].String() != known[1] {
				return fmt.Errorf("%s: %v, %v", known[0], ips, err)
			}
		}
		for _, name := range []string{"nobody", ""} {
			_, err := r.LookupNetIP(its, "ip", name)
			var failed *net.DNSError
			if !errors.As(err, &failed) || !failed.IsNotFound || failed.Name != name {
				return fmt.Errorf("%q: %v", name, err)
			}
		}
		for _, known := range [][2]string{{"10.0.0.1", "db"}, {"127.0.0.1", "localhost"}, {"10.1.0.1", "world"}} {
			names, err := r.LookupAddr(its, known[0])
			if err != nil || len(names) != 1 || names[0] != known[1] {
				return fmt.Errorf("%s: %v, %v", known[0], names, err)
			}
		}
		began := w.Now()
		if err := wants("Dial", second(aionet.Dial(ctx, "tcp", "10.9.9.9:80")), syscall.EHOSTUNREACH); err != nil {
			return err
		}
		if d := w.Now() - began; d != 3*time.Second {
			return fmt.Errorf("an address of nobody took %v", d)
		}
		return nil
	})
}
