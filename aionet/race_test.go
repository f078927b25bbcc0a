package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// How Dial tries the addresses of a name, on virtual time: RFC 8305.

// A fate is what becomes of an attempt to connect.
type fate struct {
	after time.Duration
	fails bool
}

// A derby is a name with addresses, and what becomes of the attempts.
type derby struct {
	scripted
	loop  *asyncio.Loop
	began time.Time
	log   []string // when attempts began and ended
}

// newDerby makes a network on which "name" has the addresses of the fates, such as
// "4.1" for 10.0.0.1 and "6.1" for fd00::1, in order.
func newDerby(order []string, fates map[string]fate) *derby {
	d := &derby{}
	d.hosts = map[string][]netip.Addr{}
	for _, short := range order {
		d.hosts["name"] = append(d.hosts["name"], addrOf(short))
	}
	d.connect = func(ctx context.Context, remote net.Addr) error {
		short := shortOf(remote)
		d.note("%s begins", short)
		f, ok := fates[short]
		if !ok {
			f.after = time.Hour
		}
		err := asyncio.Sleep(ctx, f.after)
		switch {
		case err != nil:
			d.note("%s cancelled", short)
			return err
		case f.fails:
			d.note("%s fails", short)
			return syscall.ECONNREFUSED
		}
		d.note("%s connects", short)
		return nil
	}
	return d
}

func addrOf(short string) netip.Addr {
	family, n, _ := strings.Cut(short, ".")
	return netip.MustParseAddr(map[string]string{"4": "10.0.0.", "6": "fd00::"}[family] + n)
}

func shortOf(a net.Addr) string {
	ip := a.(*net.TCPAddr).AddrPort().Addr()
	if ip.Is4() {
		return "4." + strings.TrimPrefix(ip.String(), "10.0.0.")
	}
	return "6." + strings.TrimPrefix(ip.String(), "fd00::")
}

func (d *derby) note(format string, args ...any) {
	d.log = append(d.log, fmt.Sprintf("%d ", d.loop.Now().Sub(d.began).Milliseconds())+fmt.Sprintf(format, args...))
}

// race runs main on the network, in which the time of the log begins.
func (d *derby) race(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	d.runQuietly(t, func(ctx context.Context) (err error) {
		if d.loop, err = asyncio.RunningLoop(ctx); err != nil {
			return err
		}
		d.began = d.loop.Now()
		return main(ctx)
	})
}

func TestRace_Course(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name   string
		order  []string
		fates  map[string]fate
		delay  time.Duration
		winner string
		log    string
	}{
		{"the first is quick", []string{"6.1", "4.1"}, map[string]fate{"6.1": {after: 100 * ms}}, 0, "6.1",
			"0 6.1 begins, 100 6.1 connects"},
		{"the second starts after the delay", []string{"6.1", "4.1"}, map[string]fate{"4.1": {after: 10 * ms}}, 0, "4.1",
			"0 6.1 begins, 250 4.1 begins, 260 4.1 connects, 260 6.1 cancelled"},
		{"a delay of the caller's", []string{"6.1", "4.1"}, map[string]fate{"4.1": {after: 10 * ms}}, 50 * ms, "4.1",
			"0 6.1 begins, 50 4.1 begins, 60 4.1 connects, 60 6.1 cancelled"},
		{"the next at once when one fails", []string{"6.1", "4.1"}, map[string]fate{"6.1": {5 * ms, true}, "4.1": {after: ms}}, 0, "4.1",
			"0 6.1 begins, 5 6.1 fails, 5 4.1 begins, 6 4.1 connects"},
		{"the first wins late", []string{"6.1", "4.1"}, map[string]fate{"6.1": {after: 300 * ms}}, 0, "6.1",
			"0 6.1 begins, 250 4.1 begins, 300 6.1 connects, 300 4.1 cancelled"},
		{"the families take turns", []string{"6.1", "6.2", "6.3", "4.1", "4.2"}, map[string]fate{"4.2": {after: 0}}, 0, "4.2",
			"0 6.1 begins, 250 4.1 begins, 500 6.2 begins, 750 4.2 begins, 750 4.2 connects, 750 6.1 cancelled, 750 4.1 cancelled, 750 6.2 cancelled"},
		{"the resolver's first family first", []string{"4.1", "4.2", "6.1"}, map[string]fate{"4.2": {after: 0}}, 0, "4.2",
			"0 4.1 begins, 250 6.1 begins, 500 4.2 begins, 500 4.2 connects, 500 4.1 cancelled, 500 6.1 cancelled"},
		{"one after another", []string{"6.1", "4.1"}, map[string]fate{"6.1": {10_000 * ms, true}, "4.1": {after: ms}}, -1, "4.1",
			"0 6.1 begins, 10000 6.1 fails, 10000 4.1 begins, 10001 4.1 connects"},
		{"both in one turn: the loser is closed", []string{"6.1", "4.1"}, map[string]fate{"6.1": {after: 260 * ms}, "4.1": {after: 10 * ms}}, 0, "6.1",
			"0 6.1 begins, 250 4.1 begins, 260 6.1 connects, 260 4.1 connects"},
		{"a failure that comes late starts the next", []string{"6.1", "4.1", "6.2"}, map[string]fate{"6.1": {300 * ms, true}, "6.2": {after: ms}}, 0, "6.2",
			"0 6.1 begins, 250 4.1 begins, 300 6.1 fails, 300 6.2 begins, 301 6.2 connects, 301 4.1 cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDerby(c.order, c.fates)
			d.race(t, func(ctx context.Context) error {
				conn, err := (&aionet.Dialer{FallbackDelay: c.delay}).Dial(ctx, "tcp", "name:80")
				if err != nil {
					return err
				}
				if got := shortOf(conn.RemoteAddr()); got != c.winner {
					t.Errorf("connected to %s, want %s", got, c.winner)
				}
				if got := strings.Join(d.log, ", "); got != c.log {
					t.Errorf("course\n%s, want\n%s", got, c.log)
				}
				return conn.Close()
			})
		})
	}
}

func TestRace_AllFail(t *testing.T) {
	d := newDerby([]string{"6.1", "4.1", "4.2"}, map[string]fate{"6.1": {fails: true}, "4.1": {fails: true}, "4.2": {fails: true}})
	d.race(t, func(ctx context.Context) error {
		_, err := aionet.Dial(ctx, "tcp", "name:80")
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Dial: %v", err)
		}
		var e *net.OpError
		if !errors.As(err, &e) || e.Op != "dial" || e.Addr.String() != "name:80" {
			t.Errorf("Dial: %#v", err)
		}
		wantErr(t, err, "dial tcp name:80: fd00::1: connection refused; 10.0.0.1: connection refused; 10.0.0.2: connection refused")
		return nil
	})
}

func TestRace_NoAddresses(t *testing.T) {
	new(scripted).runQuietly(t, func(ctx context.Context) error {
		for _, delay := range []time.Duration{0, -1} {
			_, err := (&aionet.Dialer{FallbackDelay: delay}).Dial(ctx, "tcp", "nobody:80")
			wantErr(t, err, "dial tcp nobody:80: the name has no address")
		}
		_, err := aionet.Listen(ctx, "tcp", "nobody:80")
		wantErr(t, err, "listen tcp nobody:80: the name has no address")
		return nil
	})
}

func TestRace_NetworksAskForTheirFamily(t *testing.T) {
	n := new(scripted)
	n.runQuietly(t, func(ctx context.Context) error {
		for _, network := range []string{"tcp", "tcp4", "tcp6"} {
			_, _ = aionet.Dial(ctx, network, "name:80")
		}
		_, _ = aionet.Dial(ctx, "tcp", ":80")
		if want := []string{"ip name", "ip4 name", "ip6 name", "ip localhost"}; !slices.Equal(n.lookups, want) {
			t.Errorf("looked up %q, want %q", n.lookups, want)
		}
		return nil
	})
}

// Dial is cancelled at every moment of a course, and leaves nothing behind.
func TestRace_CancelledAtAnyMoment(t *testing.T) {
	fates := map[string]fate{"6.1": {300 * time.Millisecond, true}, "4.1": {after: time.Minute}, "6.2": {400 * time.Millisecond, true},
		"4.2": {after: 200 * time.Millisecond}}
	for at := time.Duration(0); at < time.Second; at += 10 * time.Millisecond {
		d := newDerby([]string{"6.1", "6.2", "4.1", "4.2"}, fates)
		d.race(t, func(ctx context.Context) error {
			task := asyncio.Spawn(ctx, func(ctx context.Context) (*aionet.Conn, error) {
				return aionet.Dial(ctx, "tcp", "name:80")
			})
			if err := asyncio.Sleep(ctx, at); err != nil {
				return err
			}
			task.Cancel(nil)
			c, err := task.Await(ctx)
			switch {
			case err == nil:
				return c.Close()
			case !errors.Is(err, context.Canceled):
				t.Errorf("cancelled after %v: %v", at, err)
			}
			return nil
		})
	}
}

func TestRace_CancelledInTheTurnOfTheWinner(t *testing.T) {
	d := newDerby([]string{"6.1", "4.1"}, map[string]fate{"6.1": {after: time.Second}, "4.1": {after: 750 * time.Millisecond}})
	for cancelFirst := range 2 {
		d.log = nil
		d.race(t, func(ctx context.Context) error {
			task := asyncio.Spawn(ctx, func(ctx context.Context) (*aionet.Conn, error) {
				return asyncio.WaitFor(ctx, time.Second+time.Duration(cancelFirst), func(ctx context.Context) (*aionet.Conn, error) {
					return aionet.Dial(ctx, "tcp", "name:80")
				})
			})
			c, err := task.Await(ctx)
			if err == nil {
				return c.Close()
			}
			if !errors.Is(err, asyncio.ErrTimeout) {
				t.Errorf("Dial: %v", err)
			}
			return nil
		})
	}
}
