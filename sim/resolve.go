package sim

import (
	"context"
	"net"
	"net/netip"

	"github.com/asyncio-go/asyncio"
)

// Lookup implements [aionet.Network]. It knows the names of the hosts, "world" and
// "localhost"; others do not exist. For names but localhost it waits, as for an answer
// of the network; cancelling ctx gives up.
func (n *Network) Lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		ip = ip.Unmap()
	case host == "localhost":
		ip = localhost
	default:
		if err := asyncio.Sleep(ctx, n.latency.min); err != nil {
			return nil, err
		}
		ip = n.addrOf(host)
	}
	switch {
	case !ip.IsValid():
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	case network == "ip4" && !ip.Is4() || network == "ip6" && ip.Is4():
		return nil, &net.DNSError{Err: "no suitable address", Name: host, IsNotFound: true}
	}
	return []netip.Addr{ip}, nil
}

// LookupAddr implements [aionet.Network]: the name of the host with an address.
func (n *Network) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if err := asyncio.Sleep(ctx, n.latency.min); err != nil {
		return nil, err
	}
	if ip, err := netip.ParseAddr(addr); err == nil {
		at := n.here(ctx)
		switch there, _ := at.route(ip); {
		case there == at && ip.Unmap().IsLoopback():
			return []string{"localhost"}, nil
		case there != nil:
			return []string{there.name()}, nil
		}
	}
	return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
}

// addrOf is the address of a host, or the zero address.
func (n *Network) addrOf(name string) netip.Addr {
	if name == "world" {
		return worldAddr
	}
	for _, h := range n.w.hosts {
		if h.name == name {
			return h.addr
		}
	}
	return netip.Addr{}
}
