package aionet_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// The parsers of net/http run in a task, over a connection of this package, with a client
// of net/http at the other end.
func TestTLS_ServesAClientOfNetHTTP(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s := &aionet.Server{TLS: serverConfig(), Handler: func(_ context.Context, c *aionet.Conn) error {
			in := bufio.NewReader(c)
			for {
				req, err := http.ReadRequest(in)
				if err != nil {
					return err
				}
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return err
				}
				resp := &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Request: req,
					ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(bytes.ToUpper(body)))}
				if err := resp.Write(c); err != nil {
					return err
				}
			}
		}}
		serving := asyncio.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, l) })
		body := strings.Repeat("shout ", 100_000)
		_, err = asyncio.Blocking(ctx, func(ctx context.Context) (any, error) {
			tr := &http.Transport{TLSClientConfig: clientConfig()}
			defer tr.CloseIdleConnections()
			for range 3 { // over one connection
				resp, err := (&http.Client{Transport: tr}).Post("https://"+l.Addr().String(), "text/plain", strings.NewReader(body))
				if err != nil {
					return nil, err
				}
				got, err := io.ReadAll(resp.Body)
				if string(got) != strings.ToUpper(body) || err != nil {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
			}
			return nil, nil
		})
		if err != nil {
			return err
		}
		if err := s.Shutdown(ctx); err != nil {
			return err
		}
		_, err = serving.Await(ctx)
		return err
	})
}

func TestTLS_AsksAServerOfNetHTTP(t *testing.T) {
	run(t, func(ctx context.Context) error {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s", r.Method, r.URL.Path)
		}))
		config := server.Client().Transport.(*http.Transport).TLSClientConfig
		c, err := (&aionet.Dialer{TLS: config}).Dial(ctx, "tcp", server.Listener.Addr().String())
		if err != nil {
			return err
		}
		in := bufio.NewReader(c)
		for range 3 {
			req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/path", nil)
			if err != nil {
				return err
			}
			if err := req.Write(c); err != nil {
				return err
			}
			resp, err := http.ReadResponse(in, req)
			if err != nil {
				return err
			}
			if got, err := io.ReadAll(resp.Body); string(got) != "GET /path" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		}
		_ = c.Close()
		_, err = asyncio.Blocking(ctx, func(context.Context) (any, error) { server.Close(); return nil, nil })
		return err
	})
}

// A program is an openssl that runs.
type program struct {
	in  io.WriteCloser
	cmd *exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer // guarded by mu
}

func openssl(t *testing.T, args ...string) *program {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl here to talk to")
	}
	p := &program{cmd: exec.Command(path, args...)}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// Write keeps what the program prints.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// prints waits until the program has printed text.
func (p *program) prints(ctx context.Context, text string) error {
	for !strings.Contains(p.output(), text) {
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("openssl has not printed %q, but %s: %w", text, p.output(), err)
		}
	}
	return nil
}

// types is what somebody types, and awaits what the program prints then.
func (p *program) types(ctx context.Context, line, text string) error {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return err
	}
	return p.prints(ctx, text)
}

// ends waits until the program has ended.
func (p *program) ends(ctx context.Context) error {
	_, err := asyncio.Blocking(ctx, func(context.Context) (any, error) { return nil, p.cmd.Wait() })
	return err
}

func TestTLS_ServesOpenSSL(t *testing.T) {
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		run(t, func(ctx context.Context) error {
			l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer l.Close()
			client := openssl(t, "s_client", "-connect", l.Addr().String(), version)
			c, err := l.Accept(ctx)
			if err != nil {
				return err
			}
			if err := c.AcceptTLS(serverConfig()); err != nil {
				return err
			}
			if err := client.types(ctx, "hello", ""); err != nil {
				return err
			}
			wantRead(t, c, "hello\n")
			if version == "-tls1_3" { // it changes its keys, and asks for ours
				if err := client.types(ctx, "K", "KEYUPDATE"); err != nil {
					return err
				}
			}
			if err := client.types(ctx, "again", ""); err != nil {
				return err
			}
			wantRead(t, c, "again\n")
			if _, err := c.Write([]byte("good bye\n")); err != nil {
				return err
			}
			if err := c.CloseWrite(); err != nil {
				return err
			}
			if err := client.prints(ctx, "good bye\n"); err != nil {
				return err
			}
			if rest, err := io.ReadAll(c); len(rest) != 0 || err != nil {
				t.Errorf("%s: then read %q, %v", version, rest, err)
			}
			_ = c.Close()
			return client.ends(ctx)
		})
	}
}

// freePort is one that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A server that asks for a renegotiation is refused, which ends the connection, whatever
// the config allows: neither the reader nor a writer hangs.
func TestTLS_AsksOpenSSL(t *testing.T) {
	cert, key := pemFiles(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		run(t, func(ctx context.Context) error {
			address := freePort(t)
			server := openssl(t, "s_server", "-accept", address, "-cert", cert, "-key", key, "-naccept", "1")
			if err := server.prints(ctx, "ACCEPT"); err != nil {
				return err
			}
			config := clientConfig()
			config.MaxVersion, config.Renegotiation = version, tls.RenegotiateFreelyAsClient
			c, err := (&aionet.Dialer{TLS: config}).Dial(ctx, "tcp", address)
			if err != nil {
				return err
			}
			if err := server.types(ctx, "hello", ""); err != nil {
				return err
			}
			wantRead(t, c, "hello\n")
			reading := asyncio.Spawn(ctx, func(context.Context) ([]byte, error) { return c.ReadLine() })
			command := "r" // it asks for a renegotiation
			if version == tls.VersionTLS13 {
				command = "K" // it changes its keys, and asks for ours
			}
			if err := server.types(ctx, command, "SSL_do_handshake -> "); err != nil {
				return err
			}
			if version == tls.VersionTLS12 {
				_, err := reading.Await(ctx)
				wantErr(t, err, "tls: no renegotiation")
				_, err = c.Write([]byte("x"))
				wantErr(t, err, "tls: no renegotiation")
				_ = c.Close()
				return server.ends(ctx)
			}
			if _, err := c.Write([]byte("written meanwhile\n")); err != nil {
				return err
			}
			if err := server.prints(ctx, "written meanwhile\n"); err != nil {
				return err
			}
			if err := server.types(ctx, "again", ""); err != nil {
				return err
			}
			if line, err := reading.Await(ctx); string(line) != "again" || err != nil {
				t.Errorf("then read %q, %v", line, err)
			}
			if err := c.CloseWrite(); err != nil {
				return err
			}
			if err := server.prints(ctx, "CONNECTION CLOSED"); err != nil {
				return err
			}
			_ = c.Close()
			return server.ends(ctx)
		})
	}
}
