package sim_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// epoch is when worlds begin.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// A pki is the two sides' configurations for the host echo.
type pki struct{ server, client *tls.Config }

// newPKI makes a certificate for a key.
func newPKI(key crypto.Signer, err error) pki {
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"echo"},
		NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(1000 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		panic(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	p := pki{
		&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: x509.NewCertPool()},
	}
	p.client.RootCAs.AddCert(c)
	return p
}

// ed25519PKI is of a key whose signatures all have the same length. Those of ECDSA do
// not, which with small buffers makes a run another one when it is repeated.
var ed25519PKI = sync.OnceValue(func() pki {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return newPKI(key, err)
})

// in is the configurations for a world, whose time they follow.
func (p pki) in(w *sim.World) pki {
	p = pki{p.server.Clone(), p.client.Clone()}
	p.server.Time, p.client.Time = w.Clock().Now, w.Clock().Now
	return p
}

// talkTLS is two clients that talk to the echo over TLS.
func talkTLS(ctx context.Context, w *sim.World, p pki) error {
	p = p.in(w)
	_, err := echoHost(ctx, w, func(ctx context.Context, l *aionet.Listener, h aionet.Handler) error {
		return (&aionet.Server{Handler: h, TLS: p.server}).Serve(ctx, l)
	})
	if err != nil {
		return err
	}
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		for range 2 {
			g.Go(func(ctx context.Context) error { return talk(ctx, w, &aionet.Dialer{TLS: p.client}, 4000) })
		}
		return nil
	})
}

func TestTLS_NoByteIsLost(t *testing.T) {
	campaign(t, 40, func(ctx context.Context, w *sim.World) error {
		w.Net().SetLoss(5)
		return talkTLS(ctx, w, ed25519PKI())
	})
}

func TestTLS_RunsCanBeRepeated(t *testing.T) {
	where := sim.Strays(func(ctx context.Context, w *sim.World) error {
		w.Net().SetBuffers(500 << w.Draw(4))
		return talkTLS(ctx, w, ed25519PKI())
	}, 40)
	if where != "" {
		t.Error(where)
	}
}
