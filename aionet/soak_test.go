package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// The soak: go test ./aionet -run TestSoak -soak 10m -timeout 20m -v
var soakFor = flag.Duration("soak", 2*time.Second, "how long TestSoak lasts")

// A soak is a server, plain and with TLS, and clients that come, go and misbehave.
type soak struct {
	t              *testing.T
	end            time.Time
	plain, secured string // addresses

	verified, lost int             // exchanges of clients that behave
	gaveUp         map[string]bool // clients that were too slow for the server
	excused        int             // exchanges that ended so, on a machine that is busy elsewhere
	done           map[string]int  // behaviours
	requests       int             // that the server has answered
	highest        int             // bytes unsent on a connection of the server
	reported       int             // errors of handlers
}

const (
	soakClients = 64
	soakRequest = 64 << 10        // the largest
	soakTooSlow = 3 * time.Second // what the server gives a client for a request
)

// serve answers requests, a length and so many bytes, with the bytes reversed.
func (s *soak) serve(ctx context.Context, c *aionet.Conn) error {
	c.SetReadLimit(100)
	for {
		err := asyncio.Timeout(ctx, soakTooSlow, func(context.Context) error { return s.answer(c) })
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, asyncio.ErrTimeout) {
			s.gaveUp[c.RemoteAddr().String()] = true
		}
		if err != nil {
			return err
		}
	}
}

func (s *soak) answer(c *aionet.Conn) error {
	line, err := c.ReadLine()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(string(line))
	if err != nil || n < 0 || n > soakRequest {
		return fmt.Errorf("a request of %q bytes", line)
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(c, p); err != nil {
		return err
	}
	reverse(p)
	s.requests++
	if n%2 == 0 {
		_, err = c.Write(p)
		return err
	}
	c.Enqueue(p)
	s.highest = max(s.highest, c.Unsent())
	return c.Drain()
}

func reverse(p []byte) {
	for i, j := 0, len(p)-1; i < j; i, j = i+1, j-1 {
		p[i], p[j] = p[j], p[i]
	}
}

// dial connects to one of the listeners, as a client should.
func (s *soak) dial(ctx context.Context, r *rand.Rand) (*aionet.Conn, error) {
	if r.IntN(2) == 0 {
		return aionet.Dial(ctx, "tcp", s.plain)
	}
	return (&aionet.Dialer{TLS: clientConfig()}).Dial(ctx, "tcp", s.secured)
}

// raw connects to one of the listeners without TLS.
func (s *soak) raw(ctx context.Context, r *rand.Rand) (*aionet.Conn, error) {
	return aionet.Dial(ctx, "tcp", []string{s.plain, s.secured}[r.IntN(2)])
}

func request(r *rand.Rand) (head string, body []byte) {
	body = make([]byte, r.IntN(1<<r.IntN(17)))
	for i := range body {
		body[i] = byte(r.Uint32())
	}
	return strconv.Itoa(len(body)) + "\n", body
}

// A behaviour is what a client does. An error is one of the library or the test.
type behaviour struct {
	name string
	do   func(ctx context.Context, s *soak, r *rand.Rand) error
}

var behaviours = []behaviour{
	{"correct", func(ctx context.Context, s *soak, r *rand.Rand) error { return s.exchange(ctx, r, 1+r.IntN(20), false) }},
	{"correct, half-closed", func(ctx context.Context, s *soak, r *rand.Rand) error { return s.exchange(ctx, r, 1, true) }},
	{"reset", reset},
	{"half-open", halfOpen},
	{"slow", slow},
	{"never reads", neverReads},
	{"half a handshake", halfHandshake},
	{"flood", floodGarbage},
	{"cancelled", cancelled},
}

// exchange is a client that behaves: each answer must be right.
func (s *soak) exchange(ctx context.Context, r *rand.Rand, n int, halfClose bool) error {
	s.lost++
	c, err := s.dial(ctx, r)
	if err != nil {
		return err
	}
	s.lost--
	defer c.Close()
	delete(s.gaveUp, c.LocalAddr().String()) // of somebody before
	err = s.converse(c, r, n, halfClose)
	if err != nil && s.gaveUp[c.LocalAddr().String()] {
		s.lost--
		s.excused++
		return nil
	}
	return err
}

func (s *soak) converse(c *aionet.Conn, r *rand.Rand, n int, halfClose bool) error {
	for range n {
		head, body := request(r)
		s.lost++
		c.Enqueue([]byte(head))
		if _, err := c.Write(body); err != nil {
			return err
		}
		if halfClose {
			if err := c.CloseWrite(); err != nil {
				return err
			}
		}
		got := make([]byte, len(body))
		if _, err := io.ReadFull(c, got); err != nil {
			return err
		}
		if reverse(got); !bytes.Equal(got, body) {
			return errors.New("a wrong answer")
		}
		s.lost--
		s.verified++
	}
	if halfClose {
		if rest, err := io.ReadAll(c); len(rest) != 0 || err != nil {
			s.lost++
			return fmt.Errorf("after the answer %d bytes, %w", len(rest), err)
		}
	}
	return c.Close()
}

func reset(ctx context.Context, s *soak, r *rand.Rand) error {
	c, err := s.dial(ctx, r)
	if err != nil {
		return err
	}
	head, body := request(r)
	c.Enqueue([]byte(head))
	_, _ = c.Write(body[:r.IntN(len(body)+1)])
	c.Abort()
	return nil
}

func halfOpen(ctx context.Context, s *soak, r *rand.Rand) error {
	c, err := s.raw(ctx, r)
	if err != nil {
		return err
	}
	defer c.Abort()
	return asyncio.Sleep(ctx, min(time.Duration(r.IntN(5000))*time.Millisecond, time.Until(s.end)))
}

func slow(ctx context.Context, s *soak, r *rand.Rand) error {
	c, err := s.dial(ctx, r)
	if err != nil {
		return err
	}
	defer c.Abort()
	for range r.IntN(100) {
		if time.Now().After(s.end) {
			return nil
		}
		if _, err := c.Write([]byte{'1'}); err != nil {
			return nil // the server has had enough
		}
		if err := asyncio.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func neverReads(ctx context.Context, s *soak, r *rand.Rand) error {
	c, err := s.dial(ctx, r)
	if err != nil {
		return err
	}
	defer c.Abort()
	body := make([]byte, soakRequest-r.IntN(2))
	const long = 10 * soakTooSlow // the server gives up, and closes with a linger
	err = asyncio.Timeout(ctx, min(long, max(time.Until(s.end), time.Millisecond)), func(context.Context) error {
		for {
			if _, err := c.Writev([]byte(strconv.Itoa(len(body))+"\n"), body); err != nil {
				return err
			}
		}
	})
	if errors.Is(err, asyncio.ErrTimeout) && time.Until(s.end) > 0 {
		return errors.New("the server waits for a client that never reads")
	}
	return nil
}

func halfHandshake(ctx context.Context, s *soak, r *rand.Rand) error {
	c, err := aionet.Dial(ctx, "tcp", s.secured)
	if err != nil {
		return err
	}
	err = asyncio.Timeout(ctx, time.Duration(1+r.IntN(2000))*time.Microsecond, func(context.Context) error {
		return c.StartTLS(clientConfig())
	})
	if err == nil || r.IntN(2) == 0 {
		c.Abort()
		return nil
	}
	return c.Close()
}

func floodGarbage(ctx context.Context, s *soak, r *rand.Rand) error {
	c, err := s.raw(ctx, r)
	if err != nil {
		return err
	}
	defer c.Abort()
	garbage := make([]byte, 1+r.IntN(1<<16))
	for i := range garbage {
		garbage[i] = byte(r.Uint32())
	}
	for range r.IntN(100) {
		if _, err := c.Write(garbage); err != nil {
			return nil
		}
	}
	return nil
}

func cancelled(ctx context.Context, s *soak, r *rand.Rand) error {
	err := asyncio.Timeout(ctx, time.Duration(1+r.IntN(5000))*time.Microsecond, func(ctx context.Context) error {
		c, err := s.dial(ctx, r)
		if err != nil {
			return err
		}
		defer c.Close()
		for {
			head, body := request(r)
			c.Enqueue([]byte(head))
			if _, err := c.Write(body); err != nil {
				return err
			}
			if _, err := io.ReadFull(c, body); err != nil {
				return err
			}
		}
	})
	if !errors.Is(err, asyncio.ErrTimeout) {
		return err
	}
	return nil
}

// client is one after another, all kinds.
func (s *soak) client(ctx context.Context, r *rand.Rand) error {
	for time.Now().Before(s.end) {
		b := behaviours[r.IntN(len(behaviours))]
		if err := b.do(ctx, s, r); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		s.done[b.name]++
	}
	return nil
}

func (s *soak) run(ctx context.Context) error {
	var listeners []*aionet.Listener
	for range 2 {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
	}
	s.plain, s.secured = listeners[0].Addr().String(), listeners[1].Addr().String()
	plain := &aionet.Server{Handler: s.serve, Grace: time.Second}
	secured := &aionet.Server{Handler: s.serve, Grace: time.Second, TLS: serverConfig(), HandshakeTimeout: 10 * soakTooSlow}
	serving := []*asyncio.Task[struct{}]{
		asyncio.Go(ctx, func(ctx context.Context) error { return plain.Serve(ctx, listeners[0]) }),
		asyncio.Go(ctx, func(ctx context.Context) error { return secured.Serve(ctx, listeners[1]) }),
	}
	err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		for i := range soakClients {
			g.Go(func(ctx context.Context) error { return s.client(ctx, rand.New(rand.NewPCG(uint64(i), 1))) })
		}
		return nil
	})
	err = errors.Join(err, plain.Shutdown(ctx), secured.Shutdown(ctx))
	for _, task := range serving {
		_, failed := task.Await(ctx)
		err = errors.Join(err, failed)
	}
	return err
}

// heap is how much is allocated after a collection.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func TestSoak(t *testing.T) {
	fds := descriptors(t)
	s := &soak{t: t, end: time.Now().Add(*soakFor), done: map[string]int{}, gaveUp: map[string]bool{}}
	panics := 0
	r := &asyncio.Runner{Options: asyncio.LoopOptions{
		Logger: slog.New(slog.DiscardHandler), SlowThreshold: -1, StallThreshold: -1,
		ExceptionHandler: func(_ *asyncio.Loop, ec asyncio.ExceptionContext) {
			if s.reported++; errors.As(ec.Err, new(*asyncio.PanicError)) {
				panics++
				t.Errorf("%s: %v", ec.Message, ec.Err)
			}
		}}}
	ctx, cancel := context.WithTimeout(t.Context(), *soakFor+patience)
	defer cancel()
	before := inUse()
	if err := r.Run(ctx, s.run); err != nil {
		t.Errorf("Run: %v", err)
	}
	if left := asynciotest.Goroutines(0); left != "" {
		t.Errorf("goroutines left behind:\n%s", left)
	}
	if after := descriptors(t); after > fds {
		t.Errorf("%d descriptors before, %d after", fds, after)
	}
	after := inUse()
	if after > before+16<<20 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
	if s.lost != 0 || s.verified == 0 {
		t.Errorf("%d exchanges were lost, %d verified", s.lost, s.verified)
	}
	if limit := 64<<10 + soakRequest + 4<<10; s.highest > limit {
		t.Errorf("%d bytes were unsent on one connection, more than %d", s.highest, limit)
	}
	t.Logf("%v: %d exchanges verified, %d lost, %d too slow; %d requests answered, at most %d bytes unsent; %d errors of handlers, %d panics; %d KiB before, %d KiB after; %v",
		*soakFor, s.verified, s.lost, s.excused, s.requests, s.highest, s.reported, panics, before>>10, after>>10, s.done)
}
