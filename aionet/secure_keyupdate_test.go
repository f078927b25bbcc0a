package aionet_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// A sealer is the writing half of a client of TLS 1.3 after its handshake, which crypto/tls
// has made: it can ask for new keys, which crypto/tls cannot.
type sealer struct {
	hash   func() hash.Hash
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

// newSealer takes over from a connection that has written nothing yet, given its key log.
func newSealer(state tls.ConnectionState, keyLog string) (*sealer, error) {
	s := &sealer{hash: sha256.New}
	switch state.CipherSuite {
	case tls.TLS_AES_128_GCM_SHA256:
	case tls.TLS_AES_256_GCM_SHA384:
		s.hash = sha512.New384
	default:
		return nil, errors.New("not for " + tls.CipherSuiteName(state.CipherSuite))
	}
	_, line, _ := strings.Cut(keyLog, "CLIENT_TRAFFIC_SECRET_0 ")
	line, _, _ = strings.Cut(line, "\n")
	secret, err := hex.DecodeString(line[strings.Index(line, " ")+1:])
	if err != nil {
		return nil, err
	}
	return s, s.use(secret)
}

// use changes to the keys of a secret.
func (s *sealer) use(secret []byte) error {
	s.secret, s.seq = secret, 0
	size := 16
	if s.hash().Size() == sha512.Size384 {
		size = 32
	}
	key, err := s.expand("key", size)
	if err != nil {
		return err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	if s.aead, err = cipher.NewGCM(block); err != nil {
		return err
	}
	s.iv, err = s.expand("iv", 12)
	return err
}

// expand is HKDF-Expand-Label of RFC 8446, section 7.1.
func (s *sealer) expand(label string, n int) ([]byte, error) {
	label = "tls13 " + label
	info := string([]byte{byte(n >> 8), byte(n), byte(len(label))}) + label + "\x00"
	return hkdf.Expand(s.hash, s.secret, info, n)
}

// record appends a record.
func (s *sealer) record(b []byte, kind byte, content ...byte) []byte {
	inner := append(content, kind)
	head := []byte{23, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(head[3:], uint16(len(inner)+s.aead.Overhead()))
	nonce := bytes.Clone(s.iv)
	for i := range 8 {
		nonce[4+i] ^= byte(s.seq >> (56 - 8*i))
	}
	s.seq++
	return s.aead.Seal(append(b, head...), nonce, inner, head)
}

// flood appends n requests for new keys, with a byte for the application after every
// tenth, or crypto/tls would end the connection.
func (s *sealer) flood(b []byte, n int) ([]byte, error) {
	for i := range n {
		b = s.record(b, 22, 24, 0, 0, 1, 1)
		next, err := s.expand("traffic upd", s.hash().Size())
		if err != nil {
			return nil, err
		}
		if err := s.use(next); err != nil {
			return nil, err
		}
		if i%10 == 9 {
			b = s.record(b, 23, '.')
		}
	}
	return b, nil
}

// attack makes TLS with a server and lets f write to it, with a sealer, what crypto/tls
// would not. What the server sends is read once drain is closed.
func attack(address string, drain <-chan struct{}, f func(w io.Writer, s *sealer) error) error {
	conn, err := net.Dial("unix", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	var keyLog bytes.Buffer
	config := clientConfig()
	config.KeyLogWriter = &keyLog
	secured := tls.Client(conn, config)
	if err := secured.Handshake(); err != nil {
		return err
	}
	s, err := newSealer(secured.ConnectionState(), keyLog.String())
	if err != nil {
		return err
	}
	drained := make(chan struct{})
	go func() {
		<-drain
		_, _ = io.Copy(io.Discard, conn)
		close(drained)
	}()
	if err := f(conn, s); err != nil {
		return err
	}
	<-drained // closing before would reset the connection
	return nil
}

// attacked is a server's connection with an attacker, and what becomes of that.
func attacked(t *testing.T, ctx context.Context, drain <-chan struct{}, f func(w io.Writer, s *sealer) error) (*aionet.Conn, *asyncio.Task[any]) {
	t.Helper()
	l, err := aionet.Listen(ctx, "unix", filepath.Join(t.TempDir(), "s")) // the system buffers less than for TCP
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	attacking := asyncio.Spawn(ctx, func(ctx context.Context) (any, error) {
		return asyncio.Blocking(ctx, func(context.Context) (any, error) { return nil, attack(l.Addr().String(), drain, f) })
	})
	c, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AcceptTLS(serverConfig()); err != nil {
		t.Fatal(err)
	}
	return c, attacking
}

// A peer that asks for new keys and reads no answers cannot make the server buffer more
// than the high-water mark, and does not hinder its reader in being cancelled or late.
func TestTLS_AFloodOfKeyUpdates(t *testing.T) {
	run(t, func(ctx context.Context) error {
		drain, end, sent := make(chan struct{}), new(atomic.Bool), 0
		c, attacking := attacked(t, ctx, drain, func(w io.Writer, s *sealer) error {
			for ; !end.Load(); sent += 100 {
				b, err := s.flood(nil, 100)
				if err != nil {
					return err
				}
				if _, err := w.Write(b); err != nil {
					return err
				}
			}
			_, err := w.Write(s.record(nil, 23, []byte("end")...))
			return err
		})
		const high = 16 << 10
		c.SetWriteBuffer(high, 4<<10)
		highest, got := 0, []byte(nil)
		read := func(ctx context.Context) error {
			buf := make([]byte, 1024)
			for {
				n, err := c.In(ctx).Read(buf)
				highest = max(highest, c.Unsent())
				if got = append(got, buf[:n]...); err != nil || bytes.HasSuffix(got, []byte("end")) {
					return err
				}
			}
		}
		for _, how := range []string{"cancelled", "late"} {
			reading := asyncio.Go(ctx, read)
			for !strings.HasPrefix(reading.WaitingFor(), "room to write to ") {
				if reading.Done() {
					_, err := reading.Await(ctx)
					return err
				}
				pause(t, ctx)
			}
			if how == "late" {
				_ = c.SetReadDeadline(time.Now())
			} else {
				reading.Cancel(nil)
			}
			_, err := reading.Await(ctx)
			if how == "late" && !errors.Is(err, os.ErrDeadlineExceeded) || how == "cancelled" && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", how, err)
			}
			_ = c.SetReadDeadline(time.Time{})
		}
		before := len(got)
		close(drain)
		reading := asyncio.Go(ctx, read)
		for len(got) < before+500 && !reading.Done() {
			pause(t, ctx)
		}
		end.Store(true)
		if _, err := reading.Await(ctx); err != nil {
			return err
		}
		err := c.Close()
		if _, err := attacking.Await(ctx); err != nil {
			return err
		}
		if want := strings.Repeat(".", sent/10) + "end"; string(got) != want {
			t.Errorf("read %d bytes, want %d", len(got), len(want))
		}
		if highest > high+32<<10 { // what came in one read is answered before the next
			t.Errorf("%d bytes were in the write buffer", highest)
		}
		return err
	})
}

// Where the answers to a request for new keys cannot be sent any more, the requests are
// obeyed all the same.
func TestTLS_KeyUpdatesAfterCloseWrite(t *testing.T) {
	run(t, func(ctx context.Context) error {
		drain, begin := make(chan struct{}), make(chan struct{})
		close(drain)
		c, attacking := attacked(t, ctx, drain, func(w io.Writer, s *sealer) error {
			<-begin
			b, err := s.flood(nil, 20)
			if err == nil {
				_, err = w.Write(s.record(b, 23, []byte("end")...))
			}
			return err
		})
		err := c.CloseWrite()
		close(begin)
		wantRead(t, c, "..end")
		_ = c.Close()
		_, failed := attacking.Await(ctx)
		return errors.Join(err, failed)
	})
}
