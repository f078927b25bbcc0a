package aionet_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// A server and a client in one program, each a task.
func Example() {
	err := new(asyncio.Runner).Run(context.Background(), func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		asyncio.Go(ctx, func(ctx context.Context) error { return aionet.Serve(ctx, l, Shout) })
		c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		fmt.Fprintln(c, "hello")
		line, err := c.ReadLine()
		fmt.Printf("%s\n", line)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: HELLO
}

// Shout sends lines back, in capitals.
func Shout(_ context.Context, c *aionet.Conn) error {
	for line, err := range c.Lines() {
		if err != nil {
			return err
		}
		c.Enqueue(append(bytes.ToUpper(line), '\n'))
		if err := c.Drain(); err != nil {
			return err
		}
	}
	return nil
}

// serve runs client against a server on loopback.
func serve(handler aionet.Handler, client func(ctx context.Context, address string) error) {
	err := new(asyncio.Runner).Run(context.Background(), func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		asyncio.Go(ctx, func(ctx context.Context) error { return aionet.Serve(ctx, l, handler) })
		return client(ctx, l.Addr().String())
	})
	if err != nil {
		log.Fatal(err)
	}
}

func ExampleDial() {
	serve(Shout, func(ctx context.Context, address string) error {
		answer, err := Ask(ctx, address, "anybody there?")
		fmt.Println(answer)
		return err
	})
	// Output: ANYBODY THERE?
}

// Ask sends a question, and has five seconds for everything.
func Ask(ctx context.Context, address, question string) (string, error) {
	return asyncio.WaitFor(ctx, 5*time.Second, func(ctx context.Context) (string, error) {
		c, err := aionet.Dial(ctx, "tcp", address)
		if err != nil {
			return "", err
		}
		defer c.Close()
		if _, err := fmt.Fprintln(c, question); err != nil {
			return "", err
		}
		line, err := c.ReadLine()
		return string(line), err
	})
}

func ExampleDialer() {
	serve(Shout, func(ctx context.Context, address string) error {
		d := &aionet.Dialer{LocalAddr: "127.0.0.1:0", KeepAlive: time.Minute}
		c, err := d.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		fmt.Println(c.RemoteAddr().String() == address)
		return c.Close()
	})
	// Output: true
}

// Messages that begin with their length.
func ExampleConn_Peek() {
	serve(func(_ context.Context, c *aionet.Conn) error {
		for {
			message, err := ReadMessage(c)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			fmt.Printf("%q\n", message)
		}
	}, func(ctx context.Context, address string) error {
		c, err := aionet.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		for _, text := range []string{"one", "", "three"} {
			c.Enqueue(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
			c.Enqueue([]byte(text))
		}
		if err := c.CloseWrite(); err != nil {
			return err
		}
		_, err = io.ReadAll(c) // until the server has read everything
		return err
	})
	// Output:
	// "one"
	// ""
	// "three"
}

// ReadMessage reads a message after its length, or io.EOF after the last one.
func ReadMessage(c *aionet.Conn) (string, error) {
	head, err := c.Peek(4)
	if err != nil {
		return "", err
	}
	size := 4 + int(binary.BigEndian.Uint32(head))
	all, err := c.Peek(size) // more than the limit is an error
	if err != nil {
		return "", err
	}
	message := string(all[4:size])
	c.Discard(size)
	return message, nil
}

func ExampleConn_ReadUntil() {
	serve(func(_ context.Context, c *aionet.Conn) error {
		_, err := io.WriteString(c, "key: value; next")
		return err
	}, func(ctx context.Context, address string) error {
		c, err := aionet.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		for {
			part, err := c.ReadUntil([]byte(": "), []byte("; "))
			fmt.Printf("%q %v\n", part, err)
			if err != nil {
				return nil
			}
		}
	})
	// Output:
	// "key: " <nil>
	// "value; " <nil>
	// "next" unexpected EOF
}

// A line that is too long stays where it is.
func ExampleLimitError() {
	serve(func(_ context.Context, c *aionet.Conn) error {
		_, err := io.WriteString(c, "a very long line\n")
		return err
	}, func(ctx context.Context, address string) error {
		c, err := aionet.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetReadLimit(10)
		_, err = c.ReadLine()
		if long, ok := errors.AsType[*aionet.LimitError](err); ok {
			fmt.Println("longer than", long.Limit)
		}
		c.SetReadLimit(100)
		line, err := c.ReadLine()
		fmt.Printf("%s\n", line)
		return err
	})
	// Output:
	// longer than 10
	// a very long line
}

// A producer that runs at the pace of its reader.
func ExampleConn_Drain() {
	serve(Count, func(ctx context.Context, address string) error {
		c, err := aionet.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		n := 0
		for _, err := range c.Lines() {
			if err != nil {
				return err
			}
			n++
		}
		fmt.Println(n, "lines")
		return nil
	})
	// Output: 100000 lines
}

// Count sends a hundred thousand numbers, of which few are in memory at a time.
func Count(_ context.Context, c *aionet.Conn) error {
	for n := range 100_000 {
		c.Enqueue(fmt.Appendln(nil, n))
		if err := c.Drain(); err != nil {
			return err
		}
	}
	return nil
}

// The last words of a task that is cancelled.
func ExampleConn_In() {
	serve(func(ctx context.Context, c *aionet.Conn) error {
		err := asyncio.Timeout(ctx, time.Millisecond, func(context.Context) error {
			_, err := c.ReadLine()
			return err
		})
		fmt.Fprintln(c, "too slow")
		return err
	}, func(ctx context.Context, address string) error {
		c, err := aionet.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		inner, cancel := asyncio.WithCancel(ctx)
		cancel()
		_, err = c.In(inner).ReadLine()
		fmt.Println(err)
		line, err := c.ReadLine() // the connection itself is as it was
		fmt.Printf("%s\n", line)
		return err
	})
	// Output:
	// asyncio: cancelled
	// too slow
}
