package aionet

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"time"
)

// A Dialer opens connections. Its zero value is ready, and it may be used again.
type Dialer struct {
	// LocalAddr is the near end's address, host:port of literals, or a path; empty
	// leaves it to the system.
	LocalAddr string

	// FallbackDelay is how long an attempt to connect to one address of a name may
	// take before the next address is tried beside it (RFC 8305). Zero means 250 ms,
	// negative that the attempts follow one another.
	FallbackDelay time.Duration

	// KeepAlive is how long a TCP connection may be idle before the system probes
	// it. Zero means 15 s, negative never.
	KeepAlive time.Duration

	// Resolver finds the addresses of names; nil asks the loop's [Network].
	Resolver *Resolver

	// TLS makes it a TLS connection; the name to verify is the address's host if
	// the config has none. Dial returns after the handshake.
	TLS *tls.Config

	// HandshakeTimeout bounds the handshake of TLS. Zero means a minute, as in
	// asyncio, negative for ever.
	HandshakeTimeout time.Duration
}

// Dial connects to the address, host:port or a path, on the network tcp, tcp4, tcp6 or
// unix. Names are resolved, and their addresses tried as RFC 8305 says ("happy
// eyeballs"): both families in turns, a next attempt as soon as one fails or has taken
// long, and the first that succeeds wins. Cancelling ctx gives up, and leaves nothing
// behind; bound the time it takes with [asyncio.WaitFor].
func Dial(ctx context.Context, network, address string) (*Conn, error) {
	return new(Dialer).Dial(ctx, network, address)
}

// Dial is [Dial] with the options of d.
func (d *Dialer) Dial(ctx context.Context, network, address string) (*Conn, error) {
	h, err := hubOf(ctx)
	if err != nil {
		return nil, err
	}
	var s Stream
	var host string
	switch network {
	case "tcp", "tcp4", "tcp6":
		s, host, err = d.dialTCP(ctx, h, network, address)
	case "unix":
		s, err = d.dialUnix(ctx, h, address)
	default:
		err = net.UnknownNetworkError(network)
	}
	if err != nil {
		return nil, namedError("dial", network, address, err)
	}
	c := &Conn{link: newLink(h, s)}
	if d.TLS == nil {
		return c, nil
	}
	if err := handshake(ctx, c, d.clientConfig(host), d.HandshakeTimeout); err != nil {
		_ = c.Close() // the handshake may not have begun
		return nil, namedError("dial", network, address, err)
	}
	return c, nil
}

// namedError says of an error what was dialled or listened on.
func namedError(op, network, address string, err error) error {
	if err == nil || isCancellation(err) {
		return err
	}
	if e, ok := err.(*net.OpError); ok {
		err = e.Err
	}
	return &net.OpError{Op: op, Net: network, Addr: namedAddr{network, address}, Err: err}
}

// A namedAddr is an address as it was given.
type namedAddr struct{ network, address string }

func (a namedAddr) Network() string { return a.network }
func (a namedAddr) String() string  { return a.address }

func (d *Dialer) clientConfig(host string) *tls.Config {
	if d.TLS.ServerName != "" || d.TLS.InsecureSkipVerify {
		return d.TLS
	}
	c := d.TLS.Clone()
	c.ServerName = host
	return c
}

func (d *Dialer) dialUnix(ctx context.Context, h *hub, path string) (Stream, error) {
	var local net.Addr
	if d.LocalAddr != "" {
		local = &net.UnixAddr{Net: "unix", Name: d.LocalAddr}
	}
	return h.network.Connect(ctx, local, &net.UnixAddr{Net: "unix", Name: path})
}

func (d *Dialer) dialTCP(ctx context.Context, h *hub, network, address string) (s Stream, host string, err error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", err
	}
	port, err := net.LookupPort(network, service) // of literals and a table: it does not block
	if err != nil {
		return nil, "", err
	}
	var local net.Addr
	if d.LocalAddr != "" {
		from, err := netip.ParseAddrPort(d.LocalAddr)
		if err != nil {
			return nil, "", err
		}
		local = net.TCPAddrFromAddrPort(from)
	}
	ips, err := d.lookup(ctx, h, strings.Replace(network, "tcp", "ip", 1), host)
	if err != nil {
		return nil, "", err
	}
	race := &race{network: h.network, local: local, port: uint16(port), ips: interleave(ips), delay: d.FallbackDelay}
	if s, err = race.run(ctx); err != nil {
		return nil, "", err
	}
	if t, ok := s.(tuner); ok {
		err = t.SetKeepAlive(keepAlive(d.KeepAlive))
	}
	if err != nil {
		_ = s.Close()
		return nil, "", err
	}
	return s, host, nil
}

func (d *Dialer) lookup(ctx context.Context, h *hub, network, host string) ([]netip.Addr, error) {
	if host == "" {
		host = "localhost"
	}
	if d.Resolver != nil {
		return d.Resolver.LookupNetIP(ctx, network, host)
	}
	return h.network.Lookup(ctx, network, host)
}
