package aionet_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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

func TestHandshake_TruncatedByThePeer(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, n := range []int{0, 1, 5, 50} { // of the client's hello
			client, server, up, down := wires(t, ctx)
			starting := asyncio.Go(ctx, func(context.Context) error { return client.StartTLS(clientConfig()) })
			accepting := asyncio.Go(ctx, func(context.Context) error { return server.AcceptTLS(serverConfig()) })
			if _, err := up.record(n); err != nil {
				return err
			}
			_ = up.to.Close()
			if _, err := accepting.Await(ctx); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("the server after %d bytes: %v", n, err)
			}
			if _, err := server.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the server can still read: %v", err)
			}
			down.to.Abort()
			if _, err := starting.Await(ctx); err == nil {
				t.Error("the client's handshake succeeded")
			}
		}
		return nil
	})
}

func TestHandshake_ASilentPeerMeetsTheTimeout(t *testing.T) {
	got := runLogged(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		client, err := (&aionet.Dialer{TLS: clientConfig(), HandshakeTimeout: time.Millisecond}).Dial(ctx, "tcp", l.Addr().String())
		if client != nil || !errors.Is(err, asyncio.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial: %v, %v", client, err)
		}
		wantErr(t, err, "dial tcp "+l.Addr().String()+": aionet: TLS handshake: asyncio: timed out after 1ms")
		silent, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		_ = silent.Close()

		s := &aionet.Server{TLS: serverConfig(), HandshakeTimeout: time.Millisecond,
			Handler: func(context.Context, *aionet.Conn) error { return errors.New("the handler was called") }}
		serving := asyncio.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, l) })
		c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if b, err := io.ReadAll(c); len(b) != 0 || err != nil { // it is closed, without an alert
			t.Errorf("from the server: %q, %v", b, err)
		}
		if err := s.Shutdown(ctx); err != nil {
			return err
		}
		_, err = serving.Await(ctx)
		return err
	})
	if !strings.Contains(got, "TLS handshake of a connection failed") ||
		!strings.Contains(got, "aionet: TLS handshake: asyncio: timed out after 1ms") {
		t.Errorf("logged:\n%s", got)
	}
}

// Whatever await of a handshake a cancellation meets, it ends the handshake, the
// connection is closed, and nothing is left.
func TestHandshake_CancelledAtEveryAwait(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, victim := range []string{"client", "server"} {
			t.Run(fmt.Sprintf("%s %x", victim, version), func(t *testing.T) { cancelHandshakes(t, version, victim) })
		}
	}
}

func cancelHandshakes(t *testing.T, version uint16, victim string) {
	run(t, func(ctx context.Context) error {
		for records := 0; ; records++ { // so many get through, then nothing
			client, server, up, down := wires(t, ctx)
			sc := serverConfig()
			sc.MaxVersion = version
			tasks := map[string]*asyncio.Task[struct{}]{
				"client": asyncio.Go(ctx, func(context.Context) error { return client.StartTLS(clientConfig()) }),
				"server": asyncio.Go(ctx, func(context.Context) error { return server.AcceptTLS(sc) }),
			}
			left := records
			var forwarding []*asyncio.Task[struct{}]
			for _, w := range []wire{up, down} {
				forwarding = append(forwarding, asyncio.Go(ctx, func(ctx context.Context) error {
					for {
						for left == 0 {
							if err := asyncio.Yield(ctx); err != nil {
								return err
							}
						}
						left--
						if _, err := w.record(whole); err != nil {
							return err
						}
					}
				}))
			}
			task := tasks[victim]
			for !task.Done() && (left > 0 || task.State() != asyncio.Waiting) {
				if err := asyncio.Yield(ctx); err != nil {
					return err
				}
			}
			why := errors.New("because")
			task.Cancel(why)
			_, err := task.Await(ctx)
			if err != nil && !errors.Is(err, why) {
				t.Errorf("after %d records: %v", records, err)
			}
			if _, after := map[string]*aionet.Conn{"client": client, "server": server}[victim].Write([]byte("x")); err != nil && !errors.Is(after, net.ErrClosed) {
				t.Errorf("after %d records: the %s can still write: %v", records, victim, after)
			}
			for _, c := range []*aionet.Conn{client, server, up.from, up.to} {
				c.Abort()
			}
			for _, task := range append(forwarding, tasks["client"], tasks["server"]) {
				task.Cancel(why)
				_, _ = task.Await(ctx)
			}
			if err == nil {
				if records < 2 {
					t.Errorf("the handshake was over after %d records", records)
				}
				return nil
			}
		}
	})
}

// During a handshake writers wait their turn, what is enqueued follows it, a second
// reader is told, and the loop goes on.
func TestHandshake_OthersUseTheConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("file"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		client, server := connect(t, ctx)
		starting := asyncio.Go(ctx, func(context.Context) error { return client.StartTLS(clientConfig()) })
		for starting.State() != asyncio.Waiting {
			pause(t, ctx)
		}
		client.SetWriteBuffer(5, 0)
		client.Enqueue([]byte("enqueued "))
		if got := client.Unsent(); got < 9 {
			t.Errorf("%d bytes unsent", got)
		}
		others := []*asyncio.Task[struct{}]{
			asyncio.Go(ctx, func(context.Context) error { _, err := client.Write([]byte("Write ")); return err }),
			asyncio.Go(ctx, func(context.Context) error {
				_, err := client.Writev([]byte("Wri"), []byte("tev "))
				return err
			}),
			asyncio.Go(ctx, func(context.Context) error { _, err := io.Copy(client, f); return err }),
			asyncio.Go(ctx, func(context.Context) error { return client.Drain() }),
			asyncio.Go(ctx, func(context.Context) error { return client.CloseWrite() }),
		}
		pause(t, ctx)
		for i, task := range others {
			if task.Done() {
				t.Errorf("operation %d did not wait for the handshake", i)
			}
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, aionet.ErrBusy) {
			t.Errorf("a second reader: %v", err)
		}
		if err := client.StartTLS(clientConfig()); err == nil || client.TLS() != nil {
			t.Errorf("a second handshake: %v", err)
		}
		if err := server.AcceptTLS(serverConfig()); err != nil {
			return err
		}
		if got, err := io.ReadAll(server); string(got) != "enqueued Write Writev file" || err != nil {
			t.Errorf("the server has read %q, %v", got, err)
		}
		for _, task := range append(others, starting) {
			if _, err := task.Await(ctx); err != nil {
				t.Errorf("%v", err)
			}
		}
		return errors.Join(client.Close(), server.Close())
	})
}

func TestHandshake_Close(t *testing.T) {
	for _, how := range []string{"Close", "Close by a goroutine", "Abort"} {
		run(t, func(ctx context.Context) error {
			client, server := connect(t, ctx)
			starting := asyncio.Go(ctx, func(context.Context) error { return client.StartTLS(clientConfig()) })
			for starting.State() != asyncio.Waiting {
				pause(t, ctx)
			}
			client.Enqueue([]byte("secret"))
			writing := asyncio.Go(ctx, func(context.Context) error { _, err := client.Write([]byte("secret")); return err })
			pause(t, ctx)
			switch how {
			case "Close":
				_ = client.Close()
			case "Abort":
				client.Abort()
			default:
				go client.Close()
			}
			for _, task := range []*asyncio.Task[struct{}]{starting, writing} {
				if _, err := task.Await(ctx); !errors.Is(err, net.ErrClosed) {
					t.Errorf("%s: %v", how, err)
				}
			}
			if got, _ := io.ReadAll(server); bytes.Contains(got, []byte("secret")) {
				t.Errorf("%s: sent in plain text: %q", how, got)
			}
			return server.Close()
		})
	}
}

func TestHandshake_ADeadlineEndsIt(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		defer server.Close()
		_ = client.SetDeadline(time.Now().Add(time.Millisecond))
		if err := client.StartTLS(clientConfig()); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("StartTLS: %v", err)
		}
		return nil
	})
}

// The functions of a config run in the task: they may await, and when one panics nothing
// can be written in plain text.
func TestHandshake_FunctionsOfTheConfig(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := connect(t, ctx)
		sc := &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if hello.ServerName != "server.test" {
				t.Errorf("the client asks for %q", hello.ServerName)
			}
			return serverConfig(), asyncio.Sleep(ctx, time.Millisecond)
		}}
		secured(t, ctx, client, server, clientConfig(), sc)
		_ = errors.Join(client.Close(), server.Close())

		client, server = connect(t, ctx)
		cc := clientConfig()
		cc.VerifyConnection = func(tls.ConnectionState) error { panic("not today") }
		accepting := asyncio.Go(ctx, func(context.Context) error { return server.AcceptTLS(serverConfig()) })
		func() {
			defer func() {
				if r := recover(); r != "not today" {
					t.Errorf("recovered %v", r)
				}
			}()
			_ = client.StartTLS(cc)
		}()
		if _, err := client.Write([]byte("secret")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("written after the panic: %v", err)
		}
		if _, err := accepting.Await(ctx); err == nil {
			t.Error("the server's handshake succeeded")
		}
		return nil
	})
}

// What a config allows matters little: a handshake within a read would stop writers.
func TestHandshake_RenegotiationIsNeverAllowed(t *testing.T) {
	config := &tls.Config{Renegotiation: tls.RenegotiateFreelyAsClient, ServerName: "server.test"}
	got := aionet.WithoutRenegotiation(config)
	if got.Renegotiation != tls.RenegotiateNever || got.ServerName != "server.test" || config.Renegotiation == tls.RenegotiateNever {
		t.Errorf("%v of %v", got.Renegotiation, config.Renegotiation)
	}
	if plain := serverConfig(); aionet.WithoutRenegotiation(plain) != plain {
		t.Error("a config that allows none was copied, and has lost its session tickets")
	}
}
