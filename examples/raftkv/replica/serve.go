package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// peerWord begins the first line of a peer. Everybody else is a client.
const peerWord = "peer"

// converse serves a connection.
func (n *node) converse(ctx context.Context, conn *aionet.Conn) error {
	first, err := conn.Peek(len(peerWord))
	if err != nil {
		return ended(err)
	}
	if string(first[:len(peerWord)]) != peerWord {
		return ended(n.serveClient(ctx, conn))
	}
	if _, err := conn.ReadLine(); err != nil {
		return ended(err)
	}
	return ended(n.receive(conn))
}

// ended leaves out what is not worth a report: that a connection has ended.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// maxRunning is how many requests of a connection run at a time; the next is not read.
const maxRunning = 64

// serveClient makes a task of each request, so that one which waits holds up no other
// and can be cancelled. The end of the connection cancels those that are left.
func (n *node) serveClient(ctx context.Context, conn *aionet.Conn) error {
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		defer g.Cancel()
		running := map[uint64]asyncio.AnyTask{}
		slots := asyncio.NewSemaphore(maxRunning)
		for line, err := range conn.Lines() {
			if err != nil {
				return err
			}
			c, err := ParseCommand(string(line))
			switch {
			case err != nil:
				answer(conn, Reply{Status: Invalid, Value: err.Error()})
			case c.Verb == "cancel":
				if t := running[c.ID]; t != nil {
					t.Cancel(errAsked)
				}
			default:
				if err := slots.Acquire(ctx); err != nil {
					return err
				}
				// Eager, because a cancellation before its first step would leave it without a reply.
				t := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true, Group: g}, asyncio.Void(func(ctx context.Context) error {
					defer slots.Release()
					answer(conn, n.do(ctx, c))
					if running[c.ID] == asyncio.CurrentTask(ctx) {
						delete(running, c.ID)
					}
					return nil
				}))
				if !t.Done() {
					running[c.ID] = t
				}
			}
			if err := conn.Drain(); err != nil { // who reads no replies has no more requests read
				return err
			}
		}
		return nil
	})
}

var errAsked = errors.New("the client has cancelled the request")

func answer(conn *aionet.Conn, r Reply) { conn.Enqueue(fmt.Appendln(nil, r)) }
