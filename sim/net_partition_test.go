package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// A stage is a host with a connection from the world.
type stage struct {
	w              *sim.World
	host           *sim.Host
	its            context.Context // of the host
	client, server *aionet.Conn
	first, again   int // packets that a rule has counted
}

// world is the side of a partition on which the test itself is.
var world = []*sim.Host{nil}

// staged runs f with a connection to a host, whose links take 5 ms.
func staged(t *testing.T, seeds int, f func(ctx context.Context, s *stage) error) {
	t.Helper()
	explored(t, seeds, func(ctx context.Context, w *sim.World) error {
		w.Net().SetLatency(5*time.Millisecond, 5*time.Millisecond)
		s := &stage{w: w}
		s.host, s.its = stay(ctx, w, "server")
		var err error
		if s.client, s.server, err = (venue{ctx, s.its, "server", 0}).pair(ctx); err != nil {
			return err
		}
		defer s.client.Close()
		defer s.server.Close()
		return f(ctx, s)
	})
}

// took is an error unless so much time has passed since then.
func (s *stage) took(since, want time.Duration) error {
	if got := s.w.Now() - since; got != want {
		return fmt.Errorf("it took %v, want %v", got, want)
	}
	return nil
}

func (s *stage) servers() []*sim.Host { return []*sim.Host{s.host} }

func TestPartition_ConnectTimesOut(t *testing.T) {
	staged(t, 20, func(ctx context.Context, s *stage) error {
		s.w.Net().Partition(world, s.servers())
		began := s.w.Now()
		_, err := aionet.Dial(ctx, "tcp", "10.0.0.1:80")
		if err := wants("Dial", err, syscall.ETIMEDOUT); err != nil {
			return err
		}
		if err := s.took(began, 127*time.Second); err != nil {
			return err
		}
		began = s.w.Now()
		err = asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
			return second(aionet.Dial(ctx, "tcp", "10.0.0.1:80"))
		})
		if err := wants("Dial", err, asyncio.ErrTimeout); err != nil {
			return err
		}
		return s.took(began, time.Second)
	})
}

func TestPartition_ConnectGoesOnWhenItHeals(t *testing.T) {
	staged(t, 20, func(ctx context.Context, s *stage) error {
		l, err := aionet.Listen(s.its, "tcp", ":80")
		if err != nil {
			return err
		}
		defer l.Close()
		s.w.Net().Partition(s.servers(), nil)
		began := s.w.Now()
		dial := asyncio.Spawn(ctx, func(ctx context.Context) (*aionet.Conn, error) {
			return aionet.Dial(ctx, "tcp", "10.0.0.1:80")
		})
		if err := asyncio.Sleep(ctx, 5*time.Second); err != nil {
			return err
		}
		s.w.Net().Heal()
		c, err := dial.Await(ctx)
		if err != nil {
			return err
		}
		if err := s.took(began, 7*time.Second+10*time.Millisecond); err != nil { // SYNs after 0, 1, 3 and 7 s
			return err
		}
		return c.Close()
	})
}

func TestPartition_NothingIsLostWhenItHeals(t *testing.T) {
	staged(t, 50, func(ctx context.Context, s *stage) error {
		if err := write(s.client, "before "); err != nil { // it is under way, and lost too
			return err
		}
		s.w.Net().Partition(world, s.servers())
		if err := write(s.client, "during "); err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		if n := buffered(ctx, s.server); n > 0 {
			return fmt.Errorf("%d bytes have passed", n)
		}
		s.w.Net().Heal()
		if err := write(s.client, "after"); err != nil {
			return err
		}
		if err := s.client.CloseWrite(); err != nil {
			return err
		}
		return wantsAll(s.server, "before during after", io.EOF)
	})
}

// buffered is how many bytes can be read now.
func buffered(ctx context.Context, c *aionet.Conn) int {
	var n int
	_ = asyncio.Timeout(ctx, time.Nanosecond, func(ctx context.Context) error {
		b, err := c.In(ctx).Peek(1)
		n = len(b)
		return err
	})
	return n
}

func TestPartition_WhoSendsTimesOut(t *testing.T) {
	staged(t, 20, func(ctx context.Context, s *stage) error {
		if err := errors.Join(s.client.SetKeepAlive(0), s.server.SetKeepAlive(0)); err != nil {
			return err
		}
		s.w.Net().Partition(world, s.servers())
		began := s.w.Now()
		if err := write(s.client, "x"); err != nil {
			return err
		}
		_, err := s.client.Read(make([]byte, 1))
		if err := wants("Read", err, syscall.ETIMEDOUT); err != nil {
			return err
		}
		return s.took(began, 924600*time.Millisecond)
	})
}

func TestPartition_WhoIsIdleIsProbed(t *testing.T) {
	staged(t, 20, func(ctx context.Context, s *stage) error {
		s.w.Net().Partition(world, s.servers())
		began := s.w.Now()
		_, err := s.client.Read(make([]byte, 1))
		if err := wants("Read", err, syscall.ETIMEDOUT); err != nil {
			return err
		}
		return s.took(began, 150*time.Second) // 15 s of silence, and 9 probes
	})
}

func TestPartition_WithoutProbesNothingEndsTheWait(t *testing.T) {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		_, its := stay(ctx, w, "server")
		client, server, err := (venue{ctx, its, "server", 0}).pair(ctx)
		if err != nil {
			return err
		}
		if err := errors.Join(client.SetKeepAlive(0), server.SetKeepAlive(0)); err != nil {
			return err
		}
		w.Net().Partition(world, nil)
		_, err = client.Read(make([]byte, 1))
		return err
	}, sim.Options{Seeds: 1})
	if f := r.Failure; f == nil || f.Kind != sim.KindDeadlock || !strings.Contains(f.Error(), "waits for input from tcp 10.0.0.1:") {
		t.Errorf("the campaign ends with %v", f)
	}
}

func TestPartition_OneWayLetsTheOtherPass(t *testing.T) {
	staged(t, 20, func(ctx context.Context, s *stage) error {
		s.w.Net().PartitionOneWay(s.servers(), world)
		began := s.w.Now()
		if err := write(s.client, "one way"); err != nil {
			return err
		}
		if _, err := s.server.Peek(7); err != nil { // it arrives, and nobody hears that it did
			return err
		}
		if err := s.took(began, 5*time.Millisecond); err != nil {
			return err
		}
		_, err := s.client.Read(make([]byte, 1))
		return wants("Read", err, syscall.ETIMEDOUT)
	})
}

func TestHold_KeepsPacketsAndTheirOrder(t *testing.T) {
	staged(t, 50, func(ctx context.Context, s *stage) error {
		n := s.w.Net()
		n.Hold(world, s.servers())
		for i := range 10 {
			if err := write(s.client, fmt.Sprint(i)); err != nil {
				return err
			}
		}
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if n := buffered(ctx, s.server); n > 0 {
			return fmt.Errorf("%d bytes have passed", n)
		}
		began := s.w.Now()
		n.Release(s.servers(), world)
		if _, err := s.server.Peek(10); err != nil {
			return err
		}
		if err := s.took(began, 5*time.Millisecond); err != nil { // nothing had to be sent again
			return err
		}
		if err := s.client.CloseWrite(); err != nil {
			return err
		}
		return wantsAll(s.server, "0123456789", io.EOF)
	})
}

func TestHold_ForLongIsATimeout(t *testing.T) {
	staged(t, 5, func(ctx context.Context, s *stage) error {
		s.w.Net().Hold(world, s.servers())
		if err := write(s.client, "x"); err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		_, err := s.client.Read(make([]byte, 1))
		if err := wants("Read", err, syscall.ETIMEDOUT); err != nil {
			return err
		}
		s.w.Net().Heal()
		return wantsAll(s.server, "", syscall.ETIMEDOUT)
	})
}

func TestPartition_IsBetweenTheNamedHosts(t *testing.T) {
	explored(t, 20, func(ctx context.Context, w *sim.World) error {
		hosts, ctxs := make([]*sim.Host, 3), make([]context.Context, 3)
		for i := range hosts {
			hosts[i], ctxs[i] = stay(ctx, w, string(rune('a'+i)))
			l, err := aionet.Listen(ctxs[i], "tcp", ":80")
			if err != nil {
				return err
			}
			defer l.Close()
		}
		w.Net().Partition(hosts[:1], nil)
		for i, from := range ctxs {
			for j, host := range hosts {
				c, err := dialWithin(from, time.Second, host)
				if passes := i == j || i > 0 && j > 0; passes != (err == nil) {
					return fmt.Errorf("from %d to %d: %v", i, j, err)
				}
				if err == nil {
					_ = c.Close()
				}
			}
		}
		return nil
	})
}

// dialWithin connects to port 80 of a host, within a time.
func dialWithin(ctx context.Context, d time.Duration, host *sim.Host) (*aionet.Conn, error) {
	var c *aionet.Conn
	err := asyncio.Timeout(ctx, d, func(ctx context.Context) (err error) {
		c, err = aionet.Dial(ctx, "tcp", strings.Fields(host.String())[0]+":80")
		return err
	})
	return c, err
}
