package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

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

// serveClient makes a task of each request, so that one which waits holds up no other
// and can be cancelled. The end of the connection cancels those that are left.
func (n *node) serveClient(ctx context.Context, conn *aionet.Conn) error {
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		defer g.Cancel()
		running := map[uint64]asyncio.AnyTask{}
		for line, err := range conn.Lines() {
			if err != nil {
				return err
			}
			c, err := ParseCommand(string(line))
			switch {
			case strings.TrimSpace(string(line)) == "":
			case err != nil:
				answer(conn, Reply{Status: Invalid, Value: err.Error()})
			case c.Verb == "cancel":
				if t := running[c.ID]; t != nil {
					t.Cancel(errAsked)
				}
			default:
				running[c.ID] = g.Go(func(ctx context.Context) error {
					answer(conn, n.do(ctx, c))
					delete(running, c.ID)
					return nil
				})
			}
		}
		return nil
	})
}

var errAsked = errors.New("the client has cancelled the request")

func answer(conn *aionet.Conn, r Reply) { conn.Enqueue(fmt.Appendln(nil, r)) }
