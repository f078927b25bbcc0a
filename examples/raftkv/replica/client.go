package replica

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// A Client asks a cluster, one request at a time, and asks again, as a retry that counts
// once, until it has a reply. Addrs must be set. It belongs to one loop.
type Client struct {
	Addrs    []string
	Session  uint64        // one that no other client has; zero means none, and no retries of what changes something
	Patience time.Duration // with one node, before it asks the next; zero means a second

	conn  *aionet.Conn
	addr  string // of conn, or of the node to ask next
	id    uint64
	fault fault
}

// Errors of a request that has no reply. What was cancelled has no effect and will have
// none. Of what is uncertain nobody can say.
var (
	ErrCancelled = errors.New("raftkv: the request was cancelled, without effect")
	ErrUncertain = errors.New("raftkv: the request has no reply; it may have its effect, now or later")
)

// Do asks for what verb says, and returns the reply. It awaits. Cancelling ctx cancels
// the request where it is, and ends with an error that matches [ErrCancelled] or
// [ErrUncertain].
func (c *Client) Do(ctx context.Context, verb string, args ...string) (Reply, error) {
	c.id++
	command := Command{Session: c.Session, ID: c.id, Verb: verb, Args: args}
	uncertain := false // a try may have its effect, or get it
	for {
		r, err := c.try(ctx, command)
		if err == nil && r.final() {
			return r, nil
		}
		if err != nil {
			c.Close()
		}
		if verb != "get" && (r.Status == Unknown || err != nil && !errors.Is(err, errNotSent)) {
			uncertain = true
		}
		giveUp := uncertain && c.Session == 0
		if giveUp || asyncio.Sleep(ctx, c.pause(r)) != nil {
			if uncertain {
				return Reply{}, ErrUncertain
			}
			return Reply{}, ErrCancelled
		}
		c.next(r.Value)
	}
}

// final is what a client was waiting for.
func (r Reply) final() bool {
	return r.Status != Leader && r.Status != Cancelled && r.Status != Unknown
}

// pause is the time before the next try: none if somebody has said whom to ask.
func (c *Client) pause(r Reply) time.Duration {
	if r.Status == Leader {
		return 0
	}
	return c.patience() / 10
}

// Close closes the connection, if there is one. The client may be used again.
func (c *Client) Close() {
	if c.conn != nil {
		c.conn.Abort()
		c.conn = nil
	}
}

// next is where to ask next: at addr, or at the node behind the one that did not reply.
func (c *Client) next(addr string) {
	c.Close()
	if addr == "" {
		addr = c.Addrs[(slices.Index(c.Addrs, c.addr)+1)%len(c.Addrs)]
	}
	c.addr = addr
}

func (c *Client) patience() time.Duration { return cmp.Or(c.Patience, time.Second) }

// errNotSent is of a try of which no node has heard.
var errNotSent = errors.New("raftkv: not sent")

// try asks one node, and cancels there what takes too long.
func (c *Client) try(ctx context.Context, command Command) (r Reply, err error) {
	if c.conn == nil {
		c.addr = cmp.Or(c.addr, c.Addrs[0])
		c.conn, err = asyncio.WaitFor(ctx, c.patience(), func(ctx context.Context) (*aionet.Conn, error) {
			return aionet.Dial(ctx, "tcp", c.addr)
		})
		if err != nil {
			return r, errNotSent
		}
	}
	c.conn.Enqueue(fmt.Appendln(nil, command))
	r, err = asyncio.WaitFor(ctx, c.patience(), func(context.Context) (Reply, error) { return c.reply(command) })
	if err == nil || !errors.Is(err, context.Canceled) && !errors.Is(err, asyncio.ErrTimeout) {
		return r, err
	}
	if c.fault == trustsOrder {
		return Reply{Status: Unknown}, nil
	}
	c.conn.Enqueue(fmt.Appendln(nil, Command{Session: c.Session, ID: command.ID, Verb: "cancel"}))
	return asyncio.WaitFor(context.WithoutCancel(ctx), c.patience(), func(context.Context) (Reply, error) { return c.reply(command) })
}

// reply reads up to the reply to the command. What comes before it are replies to
// requests that were given up.
func (c *Client) reply(command Command) (Reply, error) {
	for {
		line, err := c.conn.ReadLine()
		if err != nil {
			return Reply{}, err
		}
		r, err := parseReply(string(line))
		if err != nil || r.ID == command.ID || c.fault == trustsOrder {
			return r, err
		}
	}
}
