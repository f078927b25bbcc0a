package aionet_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// noExecutor is an executor that must not be asked.
type noExecutor struct{ t *testing.T }

func (e noExecutor) Execute(func()) { e.t.Error("the executor was asked") }

func TestResolver_LiteralsNeedNoExecutor(t *testing.T) {
	r := &asyncio.Runner{Options: asyncio.LoopOptions{Executor: noExecutor{t}}}
	err := r.Run(t.Context(), func(ctx context.Context) error {
		var r aionet.Resolver
		for _, test := range []struct{ network, host, want string }{
			{"ip", "127.0.0.1", "127.0.0.1"}, {"ip4", "127.0.0.1", "127.0.0.1"}, {"ip6", "127.0.0.1", ""},
			{"ip", "::1", "::1"}, {"ip6", "::1", "::1"}, {"ip4", "::1", ""},
			{"ip", "::ffff:1.2.3.4", "1.2.3.4"}, {"ip6", "fe80::1%lo", "fe80::1%lo"},
		} {
			ips, err := r.LookupNetIP(ctx, test.network, test.host)
			if test.want == "" {
				var failed *net.DNSError
				if !errors.As(err, &failed) || !failed.IsNotFound {
					t.Errorf("%v: %v, %v", test, ips, err)
				}
				wantErr(t, err, "lookup "+test.host+": no suitable address")
			} else if !slices.Equal(ips, []netip.Addr{netip.MustParseAddr(test.want)}) || err != nil {
				t.Errorf("%v: %v, %v", test, ips, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestResolver_Names(t *testing.T) {
	run(t, func(ctx context.Context) error {
		r := aionet.Resolver{Net: net.DefaultResolver}
		ips, err := r.LookupNetIP(ctx, "ip4", "localhost")
		if err != nil || !slices.Contains(ips, netip.MustParseAddr("127.0.0.1")) {
			t.Errorf("localhost: %v, %v", ips, err)
		}
		for _, ip := range ips {
			if ip.Is4In6() {
				t.Errorf("%v is an IPv4 address in disguise", ip)
			}
		}
		names, err := new(aionet.Resolver).LookupAddr(ctx, "127.0.0.1")
		if err != nil || len(names) == 0 {
			t.Errorf("127.0.0.1: %v, %v", names, err)
		}
		_, err = new(aionet.Resolver).LookupAddr(ctx, "no address")
		wantErr(t, err, "unrecognized address")
		return nil
	})
}

// dnsServer is a resolver that asks a server of the test, and how many sockets it has open.
func dnsServer(t *testing.T, ctx context.Context) (*aionet.PacketConn, *net.Resolver, *atomic.Int32) {
	t.Helper()
	open := new(atomic.Int32)
	server := listenPacket(t, ctx, "udp", "127.0.0.1:0")
	address := server.LocalAddr().String()
	return server, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, "udp", address)
		if err == nil {
			open.Add(1)
			context.AfterFunc(ctx, func() { // or the resolver would wait for its timeout
				_ = c.Close()
				open.Add(-1)
			})
		}
		return c, err
	}}, open
}

func TestResolver_ASlowLookupIsCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		server, resolver, open := dnsServer(t, ctx)
		defer server.Close()
		r := aionet.Resolver{Net: resolver}
		for name, lookup := range map[string]func(ctx context.Context) error{
			"LookupNetIP": func(ctx context.Context) error { _, err := r.LookupNetIP(ctx, "ip4", "slow.test"); return err },
			"LookupAddr":  func(ctx context.Context) error { _, err := r.LookupAddr(ctx, "192.0.2.1"); return err },
			"Dial": func(ctx context.Context) error {
				_, err := (&aionet.Dialer{Resolver: &r}).Dial(ctx, "tcp", "slow.test:80")
				return err
			},
		} {
			task := asyncio.Go(ctx, lookup)
			if _, err := server.Read(make([]byte, 1500)); err != nil { // the question is there, and gets no answer
				return err
			}
			why := errors.New("because")
			task.Cancel(why)
			if _, err := task.Await(ctx); !errors.Is(err, why) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for open.Load() > 0 {
			pause(t, ctx)
		}
		return nil
	})
}

func TestResolver_FailuresNameTheHost(t *testing.T) {
	run(t, func(ctx context.Context) error {
		server, resolver, open := dnsServer(t, ctx)
		answering := asyncio.Go(ctx, func(context.Context) error { // that there is no such name
			buf := make([]byte, 1500)
			for {
				n, from, err := server.ReadFrom(buf)
				if errors.Is(err, net.ErrClosed) {
					return nil
				}
				if err != nil {
					return err
				}
				buf[2] |= 0x80           // an answer
				buf[3] = buf[3]&0xf0 | 3 // NXDOMAIN
				if _, err := server.WriteTo(buf[:n], from); err != nil {
					return err
				}
			}
		})
		r := &aionet.Resolver{Net: resolver}
		_, err := r.LookupNetIP(ctx, "ip", "missing.test.")
		var failed *net.DNSError
		if !errors.As(err, &failed) || !failed.IsNotFound {
			t.Errorf("LookupNetIP: %v", err)
		}
		_, err = (&aionet.Dialer{Resolver: r}).Dial(ctx, "tcp", "missing.test.:80")
		wantErr(t, err, "dial tcp missing.test.:80: lookup missing.test.")
		wantErr(t, err, "no such host")
		for open.Load() > 0 {
			pause(t, ctx)
		}
		_ = server.Close()
		_, err = answering.Await(ctx)
		return err
	})
}

func TestResolver_AsksTheNetworkOfTheLoop(t *testing.T) {
	n := &scripted{hosts: map[string][]netip.Addr{"db": {netip.MustParseAddr("10.0.0.7")}}}
	n.runQuietly(t, func(ctx context.Context) error {
		ips, err := new(aionet.Resolver).LookupNetIP(ctx, "ip4", "db")
		if err != nil || len(ips) != 1 || ips[0] != n.hosts["db"][0] {
			t.Errorf("found %v, %v", ips, err)
		}
		return nil
	})
	if got := n.lookups; !slices.Equal(got, []string{"ip4 db"}) {
		t.Errorf("the network was asked for %q", got)
	}
}
