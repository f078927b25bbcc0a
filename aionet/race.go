package aionet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/asyncio-go/asyncio"
)

// defaultFallbackDelay is the "Connection Attempt Delay" that RFC 8305, section 5,
// recommends.
const defaultFallbackDelay = 250 * time.Millisecond

// A race is attempts to connect to the addresses of one name, of which one wins.
type race struct {
	network Network
	local   net.Addr
	port    uint16
	ips     []netip.Addr
	delay   time.Duration

	won    Stream
	failed []error
	moved  asyncio.Event // an attempt has failed
}

// interleave puts addresses of the two families in turns, beginning with the one that
// the resolver put first.
func interleave(ips []netip.Addr) []netip.Addr {
	if len(ips) < 2 {
		return ips
	}
	var same, other []netip.Addr
	for _, ip := range ips {
		if ip.Unmap().Is4() == ips[0].Unmap().Is4() {
			same = append(same, ip)
		} else {
			other = append(other, ip)
		}
	}
	turns := make([]netip.Addr, 0, len(ips))
	for i := range max(len(same), len(other)) {
		if i < len(same) {
			turns = append(turns, same[i])
		}
		if i < len(other) {
			turns = append(turns, other[i])
		}
	}
	return turns
}

// run returns the stream of the winner, or the errors of all. The losers are gone then.
func (r *race) run(ctx context.Context) (Stream, error) {
	switch len(r.ips) {
	case 0:
		return nil, errNoAddress
	case 1:
		return r.connect(ctx, r.ips[0])
	}
	err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		for i, ip := range r.ips {
			g.Go(func(ctx context.Context) error { return r.attempt(ctx, g, ip) })
			if i == len(r.ips)-1 {
				break
			}
			if err := r.awaitTurn(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case err != nil: // cancelled from outside
		if r.won != nil {
			_ = r.won.Close()
		}
		return nil, err
	case r.won != nil:
		return r.won, nil
	}
	return nil, failures(r.failed)
}

var errNoAddress = errors.New("the name has no address")

// failures are the errors of all attempts, in a line.
type failures []error

func (f failures) Unwrap() []error { return f }

func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (r *race) connect(ctx context.Context, ip netip.Addr) (Stream, error) {
	if r.local != nil && r.local.(*net.TCPAddr).AddrPort().Addr().Unmap().Is4() != ip.Unmap().Is4() {
		return nil, &net.AddrError{Err: "not of the family of the local address", Addr: ip.String()}
	}
	return r.network.Connect(ctx, r.local, net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, r.port)))
}

// attempt tries one address. Its error is one of several, and ends nobody else.
func (r *race) attempt(ctx context.Context, g *asyncio.TaskGroup, ip netip.Addr) error {
	s, err := r.connect(ctx, ip)
	switch {
	case err != nil:
		r.failed = append(r.failed, fmt.Errorf("%v: %w", ip, err))
		r.moved.Set()
	case r.won != nil:
		_ = s.Close()
	default:
		r.won = s
		g.Cancel()
	}
	return nil
}

// awaitTurn waits until the next attempt may begin: when one has failed, or has taken
// long.
func (r *race) awaitTurn(ctx context.Context) error {
	defer r.moved.Clear()
	if r.delay < 0 {
		return r.moved.Wait(ctx)
	}
	delay := r.delay
	if delay == 0 {
		delay = defaultFallbackDelay
	}
	if err := asyncio.Timeout(ctx, delay, r.moved.Wait); !errors.Is(err, asyncio.ErrTimeout) {
		return err
	}
	return nil
}
