package aionet_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// An authority is a throwaway certificate authority, with a certificate for
// server.test and 127.0.0.1 and one for a client.
type authority struct {
	pool           *x509.CertPool
	server, client tls.Certificate
}

var trusted = sync.OnceValue(newAuthority)

func newAuthority() *authority {
	root, rootKey := certify("aionet tests", nil, nil)
	a := &authority{pool: x509.NewCertPool()}
	a.pool.AddCert(root)
	for name, to := range map[string]*tls.Certificate{"server.test": &a.server, "client.test": &a.client} {
		leaf, key := certify(name, root, rootKey)
		*to = tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}
	}
	return a
}

// certify makes a certificate, signed by parent or by itself. Its signatures are all of
// one length, so that handshakes can be repeated in simulation.
func certify(name string, parent *x509.Certificate, parentKey ed25519.PrivateKey) (*x509.Certificate, ed25519.PrivateKey) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true, IsCA: parent == nil,
	}
	if parent == nil {
		parent, parentKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), parentKey)
	if err != nil {
		panic(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	return c, key
}

func serverConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{trusted().server}}
}

func clientConfig() *tls.Config {
	return &tls.Config{RootCAs: trusted().pool, ServerName: "server.test"}
}

// pemFiles writes the server's certificate and its key, for a program.
func pemFiles(t *testing.T) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a := trusted()
	der, err := x509.MarshalPKCS8PrivateKey(a.server.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return write("cert.pem", "CERTIFICATE", a.server.Certificate[0]), write("key.pem", "PRIVATE KEY", der)
}

// secured makes TLS of both ends of a connection.
func secured(t *testing.T, ctx context.Context, client, server *aionet.Conn, cc, sc *tls.Config) {
	t.Helper()
	accepted := asyncio.Go(ctx, func(context.Context) error { return server.AcceptTLS(sc) })
	if err := client.StartTLS(cc); err != nil {
		t.Fatal(err)
	}
	if _, err := accepted.Await(ctx); err != nil {
		t.Fatal(err)
	}
}

// connectTLS is both ends of a new TLS connection.
func connectTLS(t *testing.T, ctx context.Context) (client, server *aionet.Conn) {
	t.Helper()
	client, server = connect(t, ctx)
	secured(t, ctx, client, server, clientConfig(), serverConfig())
	return client, server
}

// A wire is what flows from one end of a connection to the other, in the hands of a test.
type wire struct{ from, to *aionet.Conn }

// wires is a connection whose two halves go through the test: client and server are
// its ends.
func wires(t *testing.T, ctx context.Context) (client, server *aionet.Conn, up, down wire) {
	t.Helper()
	client, a := connect(t, ctx)
	b, server := connect(t, ctx)
	return client, server, wire{a, b}, wire{b, a}
}

// pass passes n bytes on.
func (w wire) pass(n int64) error {
	_, err := io.CopyN(w.to, w.from, n)
	return err
}

// record passes one record of TLS on, or only the first n bytes of it, and returns it.
func (w wire) record(n int) ([]byte, error) {
	head, err := w.from.Peek(5)
	if err != nil {
		return nil, err
	}
	size := 5 + int(head[3])<<8 + int(head[4])
	r := make([]byte, size)
	if _, err := io.ReadFull(w.from, r); err != nil {
		return nil, err
	}
	_, err = w.to.Write(r[:min(n, size)])
	return r, err
}

// all passes everything on until the end, and ends the other side.
func (w wire) all() error {
	if _, err := io.Copy(w.to, w.from); err != nil {
		return err
	}
	return w.to.CloseWrite()
}

// whole is more than a record can have.
const whole = 1 << 20

// wantRead fails the test if the next read is not want.
func wantRead(t *testing.T, c *aionet.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); !bytes.Equal(got, []byte(want)) || err != nil {
		t.Errorf("read %.60q, %v, want %.60q", got, err, want)
	}
}
