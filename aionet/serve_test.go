package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// serving has s serve address of a memory, in a task that is returned.
func serving(t *testing.T, ctx context.Context, s *aionet.Server, address string) (*aionet.Listener, *asyncio.Task[struct{}]) {
	t.Helper()
	l, err := aionet.Listen(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l, asyncio.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, l) })
}

// dial connects to address.
func dial(t *testing.T, ctx context.Context, address string) *aionet.Conn {
	t.Helper()
	c, err := aionet.Dial(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// echo sends lines back.
func echo(_ context.Context, c *aionet.Conn) error {
	for line, err := range c.Lines() {
		if err != nil {
			return err
		}
		c.Enqueue(append(line, '\n'))
		if err := c.Drain(); err != nil {
			return err
		}
	}
	return nil
}

// asks sends a line and returns the answer.
func asks(c *aionet.Conn, line string) (string, error) {
	if _, err := fmt.Fprintln(c, line); err != nil {
		return "", err
	}
	answer, err := c.ReadLine()
	return string(answer), err
}

func TestServe_AFailureEndsItsConnectionAlone(t *testing.T) {
	log := runLogged(t, func(ctx context.Context) error {
		server := &aionet.Server{Handler: func(ctx context.Context, c *aionet.Conn) error {
			for line, err := range c.Lines() {
				switch {
				case err != nil:
					return err
				case string(line) == "fail":
					return errors.New("bad request")
				case string(line) == "panic":
					panic("a bug")
				case string(line) == "panic below":
					return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
						g.Go(func(context.Context) error { panic("a bug below") })
						return nil
					})
				}
				_, _ = fmt.Fprintf(c, "%s!\n", line)
			}
			return nil
		}}
		l, task := serving(t, ctx, server, "127.0.0.1:0")
		here := l.Addr().String()
		good := dial(t, ctx, here)
		defer good.Close()
		for _, how := range []string{"fail", "panic", "panic below"} {
			bad := dial(t, ctx, here)
			if _, err := asks(bad, how); err != io.EOF {
				t.Errorf("after %s: %v, want the end", how, err)
			}
			_ = bad.Close()
			if got, err := asks(good, "hello"); got != "hello!" || err != nil {
				t.Errorf("another connection, after %s: %q, %v", how, got, err)
			}
		}
		task.Cancel(nil)
		_, _ = task.Await(ctx)
		return nil
	})
	for _, want := range []string{"bad request", "a bug", "a bug below"} {
		if n := strings.Count(log, "ERROR asyncio: "); n != 3 || !strings.Contains(log, want) {
			t.Errorf("want 3 reports, one with %q; got\n%s", want, log)
		}
	}
	if !strings.Contains(log, "Unhandled exception in connection handler") || !strings.Contains(log, "object=<Conn tcp 127.0.0.1:") {
		t.Errorf("the reports do not name the connections:\n%s", log)
	}
}

func TestServe_PeersThatLeaveAreNoErrors(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		server := &aionet.Server{Handler: func(_ context.Context, c *aionet.Conn) error {
			_, err := c.Peek(10) // which fails in each of the ways
			return err
		}}
		_, task := serving(t, ctx, server, here)
		for _, leave := range []func(c *aionet.Conn){
			func(c *aionet.Conn) { _ = c.Close() },
			func(c *aionet.Conn) { c.Abort() },
			func(c *aionet.Conn) { c.Enqueue([]byte("half")); _ = c.Close() },
		} {
			c := dial(t, ctx, here)
			pause(t, ctx)
			leave(c)
			pause(t, ctx)
		}
		task.Cancel(nil)
		_, _ = task.Await(ctx)
		return nil
	})
}

// A Goexit is that of a test in a handler, and ends the run, in order.
func TestServe_GoexitOfAHandler(t *testing.T) {
	before := descriptors(t)
	deferred, done := false, make(chan struct{})
	go func() {
		defer close(done)
		_ = new(asyncio.Runner).Run(context.Background(), func(ctx context.Context) error {
			l, _ := serving(t, ctx, &aionet.Server{Handler: func(context.Context, *aionet.Conn) error {
				defer func() { deferred = true }()
				runtime.Goexit()
				return nil
			}}, "127.0.0.1:0")
			c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
			if err != nil {
				return err // the handler can have been faster
			}
			defer c.Close()
			_, err = c.Peek(1)
			return err
		})
		t.Error("Run has returned")
	}()
	<-done
	if after := descriptors(t); !deferred || after > before {
		t.Errorf("deferred functions ran: %v; %d descriptors before, %d after", deferred, before, after)
	}
}

func TestServe_MaxConns(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		open, most := 0, 0
		server := &aionet.Server{MaxConns: 3, Handler: func(ctx context.Context, c *aionet.Conn) error {
			open++
			most = max(most, open)
			defer func() { open-- }()
			return echo(ctx, c)
		}}
		const other = "10.1.0.1:2" // the bound is the server's, however many listeners
		l1, task1 := serving(t, ctx, server, here)
		l2, task2 := serving(t, ctx, server, other)
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for i := range 20 {
				g.Go(func(ctx context.Context) error {
					c := dial(t, ctx, []string{here, other}[i%2])
					defer c.Close()
					if _, err := asks(c, "x"); err != nil {
						return err
					}
					return asyncio.Sleep(ctx, time.Second)
				})
			}
			return nil
		})
		if err != nil || most != 3 {
			t.Errorf("%d connections at a time, %v, want 3", most, err)
		}
		_ = l1.Close()
		_ = l2.Close()
		for _, task := range []*asyncio.Task[struct{}]{task1, task2} {
			if _, err := task.Await(ctx); err != nil {
				t.Errorf("Serve: %v", err)
			}
		}
		return nil
	})
}

func TestServe_OutOfDescriptorsBacksOffAndRecovers(t *testing.T) {
	n := new(scripted)
	for range 12 {
		n.accept = append(n.accept, syscall.EMFILE)
	}
	n.accept = append(n.accept, syscall.ENFILE, "still there?")
	log := n.run(t, func(ctx context.Context) error {
		began := now(t, ctx)
		served := asyncio.NewFuture[string](ctx)
		l, task := serving(t, ctx, &aionet.Server{Handler: func(_ context.Context, c *aionet.Conn) error {
			asked, err := io.ReadAll(c)
			served.SetResult(string(asked))
			return err
		}}, here)
		if got, err := served.Await(ctx); got != "still there?" || err != nil {
			t.Errorf("asked %q, %v", got, err)
		}
		// 5 ms, doubled up to a second, 13 times
		want := (5+10+20+40+80+160+320+640)*time.Millisecond + 5*time.Second
		if took := now(t, ctx).Sub(began); took != want {
			t.Errorf("took %v, want %v", took, want)
		}
		_ = l.Close()
		_, err := task.Await(ctx)
		return err
	})
	if n := strings.Count(log, "socket.accept() out of system resource"); n != 1 || strings.Count(log, "\n") > 3 {
		t.Errorf("%d reports, want one:\n%s", n, log)
	}
}

func TestServe_WhatEndsTheListenerEndsServe(t *testing.T) {
	n := new(scripted)
	n.runQuietly(t, func(ctx context.Context) error {
		_, task := serving(t, ctx, &aionet.Server{Handler: echo}, here)
		pause(t, ctx)
		broken := errors.New("broken")
		n.accept = []any{broken}
		n.acceptor.wakes()
		_, err := task.Await(ctx)
		if !errors.Is(err, broken) {
			t.Errorf("Serve: %v", err)
		}
		wantErr(t, err, "accept tcp "+here+": broken")
		return nil
	})
}

func TestServe_ADoneListener(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", here)
		if err != nil {
			return err
		}
		_ = l.Close()
		if err := aionet.Serve(ctx, l, echo); err != nil {
			t.Errorf("Serve: %v", err)
		}
		wantPanic(t, "aionet: Server.Serve: Handler is nil; set the function", func() { _ = aionet.Serve(ctx, l, nil) })
		if !errors.Is(l.Close(), nil) || errors.Is(err, net.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
		return nil
	})
}

// Handlers bound what they wait for by a Timeout, and clients that send a byte now and
// then do not get around it.
func TestServe_SlowLoris(t *testing.T) {
	simulate(t, func(ctx context.Context) error {
		ended := 0
		server := &aionet.Server{MaxConns: 10, Handler: func(ctx context.Context, c *aionet.Conn) error {
			err := asyncio.Timeout(ctx, 10*time.Second, func(context.Context) error { return echo(ctx, c) })
			if errors.Is(err, asyncio.ErrTimeout) {
				ended++
				return nil
			}
			return err
		}}
		l, task := serving(t, ctx, server, here)
		began := now(t, ctx)
		err := asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for range 50 {
				g.Go(func(ctx context.Context) error {
					c := dial(t, ctx, here)
					defer c.Close()
					for {
						if _, err := c.Write([]byte("x")); err != nil {
							return nil // thrown out
						}
						if err := asyncio.Sleep(ctx, time.Second); err != nil {
							return err
						}
					}
				})
			}
			return nil
		})
		if took := now(t, ctx).Sub(began); err != nil || ended != 50 || took > 52*time.Second {
			t.Errorf("%d were ended, within %v, %v; want 50, ten at a time in 10 s each", ended, took, err)
		}
		_ = l.Close()
		_, err = task.Await(ctx)
		return err
	})
}

func TestServe_HandlersHaveTheValuesOfTheContext(t *testing.T) {
	var user asyncio.Var[string]
	simulate(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", here)
		if err != nil {
			return err
		}
		task := asyncio.Go(user.With(ctx, "ann"), func(ctx context.Context) error {
			return aionet.Serve(ctx, l, func(ctx context.Context, c *aionet.Conn) error {
				name, _ := user.Value(ctx)
				_, err := io.WriteString(c, name)
				return err
			})
		})
		c := dial(t, ctx, here)
		if got, err := io.ReadAll(c); string(got) != "ann" || err != nil {
			t.Errorf("the handler has %q, %v", got, err)
		}
		_ = c.Close()
		_ = l.Close()
		_, err = task.Await(ctx)
		return err
	})
}
