package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// demonstrate serves on a port of its own, and is two clients of itself.
func demonstrate(ctx context.Context) error {
	l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		g.Go(func(ctx context.Context) error { return newEngine(clockOf(ctx), defaultLimits).serve(ctx, l) })
		defer g.Cancel()
		ann, err := meet(ctx, "ann", l)
		if err != nil {
			return err
		}
		defer ann.conn.Close()
		bob, err := meet(ctx, "bob", l)
		if err != nil {
			return err
		}
		defer bob.conn.Close()
		return talk(ann, bob)
	})
}

// talk is the demonstration. A line without a reply waits for it.
func talk(ann, bob *person) error {
	for _, act := range []func() error{
		ann.does("SET lamp on EX 100"), ann.does("GET lamp"), bob.does("PERSIST lamp"), bob.does("INCR lamp"),

		// The element goes to ann, in the step in which bob pushes it.
		ann.asks("BLPOP jobs 10"), bob.does("RPUSH jobs sweep polish"), ann.hears, bob.does("LRANGE jobs 0 -1"),

		// Somebody else's change ends a transaction that relies on the value.
		ann.does("WATCH balance"), bob.does("SET balance 5"),
		ann.does("MULTI"), ann.does("SET balance 100"), ann.does("EXEC"), ann.does("GET balance"),

		ann.does("SUBSCRIBE news"), bob.does(`PUBLISH news "it works"`), ann.hears,
	} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// A person is a client that says aloud what it sends and receives.
type person struct {
	name string
	conn *aionet.Conn
}

func meet(ctx context.Context, name string, l *aionet.Listener) (*person, error) {
	conn, err := aionet.Dial(ctx, l.Addr().Network(), l.Addr().String())
	return &person{name, conn}, err
}

// asks sends a request.
func (p *person) asks(line string) func() error {
	return func() error {
		fmt.Printf("%s> %s\n", p.name, line)
		_, err := fmt.Fprintf(p.conn, "%s\r\n", line)
		return err
	}
}

// does sends a request and waits for the reply.
func (p *person) does(line string) func() error {
	return func() error {
		if err := p.asks(line)(); err != nil {
			return err
		}
		return p.hears()
	}
}

func (p *person) hears() error {
	text, err := p.receive()
	fmt.Printf("%s< %s\n", p.name, text)
	return err
}

// receive is the next reply, in one line.
func (p *person) receive() (string, error) {
	line, err := p.conn.ReadLine()
	if err != nil {
		return "", err
	}
	kind, text := line[0], string(line[1:])
	n, _ := strconv.Atoi(text)
	switch {
	case n < 0 && kind != ':':
		return "nothing", nil
	case kind == '$':
		b := make([]byte, n+len("\r\n"))
		_, err := io.ReadFull(p.conn, b)
		return strconv.Quote(string(b[:n])), err
	case kind == '*':
		items := make([]string, n)
		for i := range items {
			if items[i], err = p.receive(); err != nil {
				return "", err
			}
		}
		return "[" + strings.Join(items, " ") + "]", nil
	}
	return text, nil
}
