package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

func ExampleListen() {
	err := new(asyncio.Runner).Run(context.Background(), func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "localhost:0")
		if err != nil {
			return err
		}
		defer l.Close()
		asyncio.Go(ctx, func(ctx context.Context) error {
			c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
			if err != nil {
				return err
			}
			return c.Close()
		})
		c, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Peek(1)
		fmt.Println(err)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: EOF
}

// A chat: what the handlers share needs no lock.
func ExampleServe() {
	room := map[*aionet.Conn]bool{}
	serve(func(_ context.Context, c *aionet.Conn) error {
		room[c] = true
		defer delete(room, c)
		for line, err := range c.Lines() {
			if err != nil {
				return err
			}
			for other := range room {
				other.Enqueue(append(line, '\n')) // it never waits
			}
		}
		return nil
	}, func(ctx context.Context, address string) error {
		var all [2]*aionet.Conn
		for i := range all {
			c, err := aionet.Dial(ctx, "tcp", address)
			if err != nil {
				return err
			}
			defer c.Close()
			all[i] = c
		}
		for len(room) < 2 {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		fmt.Fprintln(all[0], "hi!")
		for _, c := range all {
			line, err := c.ReadLine()
			if err != nil {
				return err
			}
			fmt.Printf("%s\n", line)
		}
		return nil
	})
	// Output:
	// hi!
	// hi!
}

// Serving until a signal comes: with asyncio.Main, ctx is cancelled then.
func ExampleServer() {
	ctx, cancel := context.WithCancel(context.Background())
	err := new(asyncio.Runner).Run(ctx, func(ctx context.Context) error {
		return ServeLines(ctx, "127.0.0.1:0", func(l *aionet.Listener) {
			fmt.Println("serving")
			cancel() // in place of the signal
		})
	})
	fmt.Println(err)
	// Output:
	// serving
	// <nil>
}

// ServeLines serves until ctx is cancelled, and then gives handlers ten seconds.
func ServeLines(ctx context.Context, address string, ready func(l *aionet.Listener)) error {
	l, err := aionet.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	ready(l)
	server := &aionet.Server{
		Handler:  Patient,
		MaxConns: 10_000,
		Grace:    10 * time.Second,
	}
	if err := server.Serve(ctx, l); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil // as it should be
}

// Patient serves lines, each of which has a minute to come.
func Patient(ctx context.Context, c *aionet.Conn) error {
	for {
		line, err := asyncio.WaitFor(ctx, time.Minute, func(context.Context) ([]byte, error) { return c.ReadLine() })
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, asyncio.ErrTimeout):
			fmt.Fprintln(c, "bye")
			return nil
		case err != nil:
			return err
		}
		fmt.Fprintf(c, "%s\n", line)
	}
}

func ExampleServer_Shutdown() {
	err := new(asyncio.Runner).Run(context.Background(), func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &aionet.Server{Grace: time.Second, Handler: func(ctx context.Context, c *aionet.Conn) error {
			return asyncio.Sleep(ctx, 5*time.Millisecond) // which is let finish
		}}
		serving := asyncio.Go(ctx, func(ctx context.Context) error { return server.Serve(ctx, l) })
		c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if err := server.Shutdown(ctx); err != nil {
			return err
		}
		_, err = serving.Await(ctx)
		fmt.Println(err)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: <nil>
}

func ExampleListener_Close() {
	err := new(asyncio.Runner).Run(context.Background(), func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		_ = l.Close()
		_, err = l.Accept(ctx)
		fmt.Println(errors.Is(err, net.ErrClosed))
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: true
}
