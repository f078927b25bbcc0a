package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// Sequences of operations by chance, on both ends of a connection, end on the system's
// sockets as they do in simulation, operation by operation.

// A move is an operation of one end.
type move struct {
	end  int // 0 is the client's
	what string
}

func (m move) String() string { return [...]string{"client ", "server "}[m.end] + m.what }

func moves(seed uint64) []move {
	dice := rand.New(rand.NewPCG(seed, 1))
	kinds := strings.Split("write,write,write,write,read,read,read,read much,read much,read much,closewrite,close,abort", ",")
	all := make([]move, 12)
	for i := range all {
		all[i] = move{dice.IntN(2), kinds[dice.IntN(len(kinds))]}
	}
	return all
}

// outcome makes a move, and tells how it ended.
func (m move) outcome(ctx context.Context, c *aionet.Conn) string {
	var err error
	text := ""
	switch m.what {
	case "write":
		err = write(c, "abc")
	case "read", "read much":
		b := make([]byte, len(m.what)-2)
		n, failed := c.Read(b)
		text, err = string(b[:n]), failed
	case "closewrite":
		err = c.CloseWrite()
	case "close":
		err = c.Close()
	case "abort":
		c.Abort()
	}
	for _, known := range []error{io.EOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ENOTCONN} {
		if errors.Is(err, known) {
			err = known
		}
	}
	return fmt.Sprint(m, " ", text, " ", err)
}

const blocks = "waits"

// simulate tells how the moves end in simulation; one that would wait is not made.
func simulate(t *testing.T, all []move) (outcomes []string) {
	sim.Run(t, func(ctx context.Context, w *sim.World) error {
		outcomes = nil
		client, server, err := (venue{ctx, ctx, "127.0.0.1", 0}).pair(ctx)
		if err != nil {
			return err
		}
		ends := []*aionet.Conn{client, server}
		for _, m := range all {
			var got string
			err := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
				got = m.outcome(ctx, ends[m.end].In(ctx))
				return ctx.Err()
			})
			if err != nil {
				got = blocks
			}
			outcomes = append(outcomes, got)
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err
			}
		}
		client.Abort()
		server.Abort()
		return nil
	})
	return outcomes
}

func TestModel_TheSystemDoesTheSame(t *testing.T) {
	for seed := range uint64(1000) {
		all := moves(seed)
		want := simulate(t, all)
		_, err := asyncio.Run(t.Context(), asyncio.Void(func(ctx context.Context) error {
			client, server, err := (venue{ctx, ctx, "127.0.0.1", 0}).pair(ctx)
			if err != nil {
				return err
			}
			defer client.Abort()
			defer server.Abort()
			ends := []*aionet.Conn{client, server}
			for i, m := range all {
				if want[i] == blocks {
					continue
				}
				if got := m.outcome(ctx, ends[m.end]); got != want[i] {
					return fmt.Errorf("%q, simulated: %q, after %s", got, want[i], strings.Join(want[:i], "; "))
				}
			}
			return nil
		}))
		if err != nil {
			t.Errorf("sequence %d: %v", seed, err)
		}
	}
}
