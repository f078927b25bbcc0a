package aionet_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

func TestTLS_DialAndServe(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		sc := serverConfig()
		sc.NextProtos = []string{"two", "one"}
		s := &aionet.Server{TLS: sc, Handler: func(_ context.Context, c *aionet.Conn) error {
			_, err := c.Write([]byte(c.TLS().NegotiatedProtocol))
			return err
		}}
		serving := asyncio.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, l) })
		cc := &tls.Config{RootCAs: trusted().pool, NextProtos: []string{"one"}} // Dial adds the name, 127.0.0.1
		c, err := (&aionet.Dialer{TLS: cc}).Dial(ctx, "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		state := c.TLS()
		if !state.HandshakeComplete || state.NegotiatedProtocol != "one" || state.Version != tls.VersionTLS13 {
			t.Errorf("state %+v", state)
		}
		if got, err := io.ReadAll(c); string(got) != "one" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if cc.ServerName != "" {
			t.Error("Dial has changed the config")
		}
		_ = c.Close()
		if err := s.Shutdown(ctx); err != nil {
			return err
		}
		_, err = serving.Await(ctx)
		return err
	})
}

func TestTLS_AfterAPlainDialogue(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		if client.TLS() != nil {
			t.Error("a plain connection has a state of TLS")
		}
		// The client does not wait for an answer: its hello comes with the command.
		client.Enqueue([]byte("EHLO\nSTARTTLS\n"))
		started := asyncio.Go(ctx, func(context.Context) error { return client.StartTLS(clientConfig()) })
		for _, want := range []string{"EHLO", "STARTTLS"} {
			if line, err := server.ReadLine(); string(line) != want || err != nil {
				t.Errorf("read %q, %v", line, err)
			}
		}
		if b, err := server.Peek(1); len(b) < 100 || err != nil {
			t.Errorf("the hello is not buffered: %q, %v", b, err)
		}
		if err := server.AcceptTLS(serverConfig()); err != nil {
			return err
		}
		if _, err := started.Await(ctx); err != nil {
			return err
		}
		if _, err := client.Write([]byte("secret")); err != nil {
			return err
		}
		wantRead(t, server, "secret")
		err := client.StartTLS(clientConfig())
		wantErr(t, err, "the connection is TLS already")
		if _, err := client.Write([]byte("still usable")); err != nil {
			return err
		}
		wantRead(t, server, "still usable")
		return errors.Join(client.Close(), server.Close())
	})
}

func TestTLS_PlainTextIsNeverTakenForDecrypted(t *testing.T) {
	run(t, func(ctx context.Context) error { // from somebody between client and server
		client, server := connect(t, ctx)
		if _, err := client.Write([]byte("STARTTLS\nDELETE EVERYTHING\n")); err != nil {
			return err
		}
		started := asyncio.Go(ctx, func(context.Context) error { return client.StartTLS(clientConfig()) })
		if _, err := server.ReadLine(); err != nil {
			return err
		}
		err := server.AcceptTLS(serverConfig())
		if !errors.As(err, new(tls.RecordHeaderError)) {
			t.Errorf("AcceptTLS: %v", err)
		}
		if line, err := server.ReadLine(); len(line) != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("then read %q, %v", line, err)
		}
		if _, err := started.Await(ctx); err == nil {
			t.Error("the client's handshake succeeded")
		}
		return nil
	})
	run(t, func(ctx context.Context) error { // the same to the client
		client, server := connect(t, ctx)
		defer server.Close()
		if _, err := server.Write([]byte("GO\nYOU HAVE MAIL\n")); err != nil {
			return err
		}
		if _, err := client.ReadLine(); err != nil {
			return err
		}
		if err := client.StartTLS(clientConfig()); !errors.As(err, new(tls.RecordHeaderError)) {
			t.Errorf("StartTLS: %v", err)
		}
		if line, err := client.ReadLine(); len(line) != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("then read %q, %v", line, err)
		}
		return nil
	})
}

func TestTLS_ClientCertificates(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		run(t, func(ctx context.Context) error {
			sc, cc := serverConfig(), clientConfig()
			sc.ClientAuth, sc.ClientCAs, sc.MaxVersion = tls.RequireAndVerifyClientCert, trusted().pool, version
			cc.Certificates = []tls.Certificate{trusted().client}
			client, server := connect(t, ctx)
			secured(t, ctx, client, server, cc, sc)
			if got := server.TLS().PeerCertificates[0].Subject.CommonName; got != "client.test" {
				t.Errorf("the client is %q", got)
			}
			_ = errors.Join(client.Close(), server.Close())

			client, server = connect(t, ctx) // without one
			accepted := asyncio.Go(ctx, func(context.Context) error { return server.AcceptTLS(sc) })
			err := client.StartTLS(clientConfig())
			if err == nil { // as TLS 1.3 has it, the client is told later
				_, err = client.Read(make([]byte, 1))
			}
			wantErr(t, err, "remote error: tls: ")
			_, err = accepted.Await(ctx)
			wantErr(t, err, "tls: client didn't provide a certificate")
			return client.Close()
		})
	}
}

func TestTLS_BadCertificate(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for name, test := range map[string]struct {
			config *tls.Config
			text   string
			is     any
		}{
			"unknown authority": {&tls.Config{RootCAs: x509.NewCertPool(), ServerName: "server.test"},
				"x509: certificate signed by unknown authority", new(x509.UnknownAuthorityError)},
			"other name": {&tls.Config{RootCAs: trusted().pool, ServerName: "other.test"},
				"x509: certificate is valid for server.test, not other.test", new(x509.HostnameError)},
			"expired": {&tls.Config{RootCAs: trusted().pool, ServerName: "server.test",
				Time: func() time.Time { return time.Now().Add(1000 * time.Hour) }},
				"x509: certificate has expired", new(x509.CertificateInvalidError)},
			"no name": {&tls.Config{RootCAs: trusted().pool}, "either ServerName or InsecureSkipVerify", nil},
			"nothing": {nil, "either ServerName or InsecureSkipVerify", nil},
		} {
			client, server := connect(t, ctx)
			before := descriptors(t)
			accepted := asyncio.Go(ctx, func(context.Context) error { return server.AcceptTLS(serverConfig()) })
			err := client.StartTLS(test.config)
			wantErr(t, err, test.text)
			wantErr(t, err, "handshake tcp "+client.LocalAddr().String()+"->"+server.LocalAddr().String())
			if test.is != nil && !errors.As(err, test.is) {
				t.Errorf("%s: %v is no %T", name, err, test.is)
			}
			if _, err := client.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: the client can still write: %v", name, err)
			}
			_, err = accepted.Await(ctx)
			if test.is != nil {
				wantErr(t, err, "remote error: tls: ") // the client has said why
			} else if err == nil {
				t.Errorf("%s: the server's handshake succeeded", name)
			}
			if _, err := server.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: the server can still write: %v", name, err)
			}
			for descriptors(t) > before-2 {
				pause(t, ctx)
			}
		}
		return nil
	})
}

func TestTLS_DialFailsWithTheAddress(t *testing.T) {
	got := runLogged(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s := &aionet.Server{TLS: serverConfig(), Grace: patience, Handler: func(context.Context, *aionet.Conn) error {
			t.Error("the handler was called")
			return nil
		}}
		serving := asyncio.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, l) })
		c, err := (&aionet.Dialer{TLS: &tls.Config{RootCAs: x509.NewCertPool()}}).Dial(ctx, "tcp", l.Addr().String())
		if c != nil {
			t.Error("Dial returned a connection")
		}
		wantErr(t, err, "dial tcp "+l.Addr().String()+": tls: failed to verify certificate: x509: ")
		if err := s.Shutdown(ctx); err != nil {
			return err
		}
		_, err = serving.Await(ctx)
		return err
	})
	if strings.Count(got, "\n") != 0 || !strings.Contains(got, "TLS handshake of a connection failed") ||
		!strings.Contains(got, "remote error: tls: ") {
		t.Errorf("logged:\n%s", got)
	}
}

func TestTLS_ManyWaysToWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		client, server := connectTLS(t, ctx)
		defer server.Close()
		client.Enqueue([]byte("enqueued\n"))
		client.Enqueue(nil)
		if client.Unsent() == 0 {
			t.Error("nothing is in the buffer")
		}
		if n, err := client.Writev([]byte("of "), nil, []byte("several"), []byte("\n")); n != 11 || err != nil {
			t.Errorf("Writev: %d, %v", n, err)
		}
		if n, err := io.Copy(client, f); n != 12 || err != nil {
			t.Errorf("io.Copy of a file: %d, %v", n, err)
		}
		if n, err := client.Write(nil); n != 0 || err != nil {
			t.Errorf("Write of nothing: %d, %v", n, err)
		}
		if err := client.Drain(); err != nil {
			t.Errorf("Drain: %v", err)
		}
		client.Enqueue([]byte("last"))
		if err := client.Close(); err != nil {
			return err
		}
		if got, err := io.ReadAll(server); string(got) != "enqueued\nof several\nfrom a file\nlast" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		return nil
	})
}
