package aionet

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A Resolver finds the addresses of names: with the standard library's resolver, which
// runs off the loop, or as the loop's [Network] does. Its zero value is ready. Cancelling
// ctx ends a lookup at once; what the standard resolver has asked may go on until it times
// out, a few seconds, for which a loop that closes waits.
type Resolver struct {
	// Net is the resolver; nil asks the loop's [Network], which is the system's and
	// asks [net.DefaultResolver], unless [asyncio.LoopOptions].Network is another.
	Net *net.Resolver
}

// LookupNetIP finds the addresses of host, of the network ip, ip4 or ip6. It is
// asyncio's getaddrinfo.
func (r *Resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if r.Net != nil {
		return lookup(ctx, r.Net, network, host)
	}
	h, err := hubOf(ctx)
	if err != nil {
		return nil, err
	}
	return h.network.Lookup(ctx, network, host)
}

// LookupAddr finds the names of an address. It is asyncio's getnameinfo.
func (r *Resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if r.Net != nil {
		return lookupAddr(ctx, r.Net, addr)
	}
	h, err := hubOf(ctx)
	if err != nil {
		return nil, err
	}
	return h.network.LookupAddr(ctx, addr)
}

// Lookup implements [Network].
func (n system) Lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return lookup(ctx, net.DefaultResolver, network, host)
}

// LookupAddr implements [Network].
func (n system) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return lookupAddr(ctx, net.DefaultResolver, addr)
}

// undated is a context for package net, which would take its deadline for one on the
// system's clock. It is cancelled all the same.
type undated struct{ context.Context }

// Deadline says that there is none.
func (undated) Deadline() (time.Time, bool) { return time.Time{}, false }

// lookup answers literals on the loop, and asks r for names.
func lookup(ctx context.Context, r *net.Resolver, network, host string) ([]netip.Addr, error) {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		ips, err := asyncio.Abandonable(ctx, func(ctx context.Context) ([]netip.Addr, error) {
			return r.LookupNetIP(undated{ctx}, network, host)
		})
		for i := range ips { // package net gives 127.0.0.1 as ::ffff:127.0.0.1
			ips[i] = ips[i].Unmap()
		}
		return ips, err
	}
	if ip = ip.Unmap(); network == "ip4" && !ip.Is4() || network == "ip6" && ip.Is4() {
		return nil, &net.DNSError{Err: "no suitable address", Name: host, IsNotFound: true}
	}
	return []netip.Addr{ip}, nil
}

func lookupAddr(ctx context.Context, r *net.Resolver, addr string) ([]string, error) {
	return asyncio.Abandonable(ctx, func(ctx context.Context) ([]string, error) {
		return r.LookupAddr(undated{ctx}, addr)
	})
}
