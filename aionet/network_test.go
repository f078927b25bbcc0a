package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// The whole package runs on a Network of somebody else's.

func TestNetwork_ServerAndClientsInVirtualTime(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		began := now(t, ctx)
		var l *aionet.Listener
		server := sim.From(ctx).Host(ctx, "db.example", func(ctx context.Context) (err error) {
			if l, err = aionet.Listen(ctx, "tcp", "db.example:5432"); err != nil {
				return err
			}
			return aionet.Serve(ctx, l, func(ctx context.Context, c *aionet.Conn) error {
				for line, err := range c.Lines() {
					if err != nil {
						return err
					}
					if err := asyncio.Sleep(ctx, time.Hour); err != nil {
						return err
					}
					c.Enqueue(fmt.Appendf(nil, "%s!\n", line))
				}
				return nil
			})
		})
		pause(t, ctx)
		var answers []string
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for i := range 3 {
				g.Go(func(ctx context.Context) error {
					c, err := aionet.Dial(ctx, "tcp", "db.example:5432")
					if err != nil {
						return err
					}
					defer c.Close()
					for range 2 {
						if _, err := fmt.Fprintf(c, "client %d\n", i); err != nil {
							return err
						}
						line, err := c.ReadLine()
						if err != nil {
							return err
						}
						answers = append(answers, string(line))
					}
					return nil
				})
			}
			return nil
		})
		want := []string{"client 0!", "client 1!", "client 2!", "client 0!", "client 1!", "client 2!"}
		if err != nil || !slices.Equal(answers, want) {
			t.Errorf("answers %q, %v", answers, err)
		}
		if took := now(t, ctx).Sub(began); took != 2*time.Hour {
			t.Errorf("took %v of virtual time, want 2h", took)
		}
		_ = l.Close()
		if err := server.Wait(ctx); err != nil {
			t.Errorf("Serve: %v", err)
		}
		return nil
	})
}

func TestNetwork_TimeoutsAndDeadlinesAreVirtual(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		client, server := connectIn(t, ctx)
		defer client.Close()
		defer server.Close()
		began := now(t, ctx)
		err := asyncio.Timeout(ctx, time.Hour, func(context.Context) error { _, err := client.ReadLine(); return err })
		if !errors.Is(err, asyncio.ErrTimeout) {
			t.Errorf("ReadLine within a Timeout: %v", err)
		}
		_ = client.SetReadDeadline(began.Add(3 * time.Hour))
		_, err = client.ReadLine()
		wantErr(t, err, "i/o timeout")
		if took := now(t, ctx).Sub(began); took != 3*time.Hour {
			t.Errorf("took %v, want 3h", took)
		}
		return nil
	})
}

func TestNetwork_WrongTypePanics(t *testing.T) {
	runWith(t, asyncio.LoopOptions{Network: 7}, func(ctx context.Context) error {
		defer func() {
			wantErr(t, fmt.Errorf("%v", recover()), "LoopOptions.Network is a int, which is no aionet.Network; leave it nil")
		}()
		_, err := aionet.Dial(ctx, "tcp", "127.0.0.1:1")
		return err
	})
}

func TestNetwork_NoLoopIsAnError(t *testing.T) {
	_, err := aionet.Dial(t.Context(), "tcp", "127.0.0.1:1")
	if !errors.Is(err, asyncio.ErrNoLoop) {
		t.Errorf("Dial: %v", err)
	}
	if _, err = aionet.Listen(t.Context(), "tcp", "127.0.0.1:0"); !errors.Is(err, asyncio.ErrNoLoop) {
		t.Errorf("Listen: %v", err)
	}
}

func TestNetwork_ErrorsOfItsStreamsAreToldWithAddresses(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		client, server := connectIn(t, ctx)
		server.Abort()
		_, err := client.Read(make([]byte, 1))
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %v", err)
		}
		wantErr(t, err, "read tcp 10.1.0.1:32768->10.1.0.1:1: read: connection reset by peer")
		_, err = client.Write([]byte("x"))
		wantErr(t, err, "write tcp 10.1.0.1:32768->10.1.0.1:1: write: broken pipe")
		if _, err := client.Write(nil); err != nil {
			t.Errorf("Write of nothing: %v", err)
		}
		return client.Close()
	})
}

// A peer that reads one byte at a time, and one that writes so.
func TestNetwork_SmallestSteps(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		room(ctx, 1)
		client, server := connectIn(t, ctx)
		const text = "a line\r\nand one more\nend"
		writer := asyncio.Go(ctx, func(context.Context) error {
			if n, err := client.Writev([]byte(text[:5]), nil, []byte(text[5:])); n != int64(len(text)) || err != nil {
				return fmt.Errorf("Writev: %d, %w", n, err)
			}
			return client.Close()
		})
		var lines []string
		for line, err := range server.Lines() {
			if err != nil {
				return err
			}
			lines = append(lines, string(line))
		}
		if !slices.Equal(lines, []string{"a line", "and one more", "end"}) {
			t.Errorf("lines %q", lines)
		}
		if _, err := server.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the end: %v", err)
		}
		_ = server.Close()
		_, err := writer.Await(ctx)
		return err
	})
}
