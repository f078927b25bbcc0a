package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// Random programs: one task writes in every way, another reads in every way, both are
// cancelled at random, on a network with little room. What was accepted is what arrives.
func TestModel_WhatWasAcceptedArrives(t *testing.T) {
	sim.Test(t, closing(func(ctx context.Context, w *sim.World) error {
		w.Net().SetBuffers(1 + w.Draw(50))
		client, server := connectIn(t, ctx)
		return exchangeAtRandom(ctx, w.Draw, client, server)
	}), sim.Options{Seeds: 400})
}

// The same over TLS.
func TestModel_WhatWasAcceptedArrivesOverTLS(t *testing.T) {
	sim.Test(t, closing(func(ctx context.Context, w *sim.World) error {
		w.Net().SetBuffers(50 + w.Draw(500))
		client, server := connectIn(t, ctx)
		secured(t, ctx, client, server, simulatedClientConfig(), serverConfig())
		return exchangeAtRandom(ctx, w.Draw, client, server)
	}), sim.Options{Seeds: 100})
}

// Of a connection that is reset in the middle, the beginning of what was accepted has
// arrived, and its end is not taken for that of the stream.
func TestModel_AResetCutsOff(t *testing.T) {
	for name, seeds := range map[string]int{"plain": 1000, "TLS": 300} {
		t.Run(name, func(t *testing.T) {
			sim.Test(t, closing(func(ctx context.Context, w *sim.World) error {
				w.Net().SetBuffers(50 + w.Draw(100))
				client, server := connectHosts(t, ctx)
				defer server.Abort()
				if name == "TLS" {
					secured(t, ctx, client, server, simulatedClientConfig(), serverConfig())
				}
				w.Net().Rule(func(sim.Packet) sim.Verdict {
					if w.Chance(1) {
						return sim.Reset
					}
					return sim.Deliver
				})
				var accepted []byte
				writer := asyncio.Go(ctx, func(ctx context.Context) (err error) {
					accepted, err = writeAtRandom(ctx, client, w.Draw)
					client.Abort()
					return err
				})
				got, cut := readAtRandom(ctx, server, w.Draw)
				_, failed := writer.Await(ctx)
				sim.Sometimes(ctx, cut != nil, "the reader is told")
				sim.Sometimes(ctx, failed != nil, "the writer is told")
				if !bytes.HasPrefix(accepted, got) || cut == nil && len(got) != len(accepted) {
					return fmt.Errorf("%d bytes of %d arrived, and differ: the reader %v, the writer %v", len(got), len(accepted), cut, failed)
				}
				return nil
			}), sim.Options{Seeds: seeds})
		})
	}
}

// The same over the system's sockets, on real time.
func TestModel_WhatTheSystemAcceptedArrives(t *testing.T) {
	for seed := range uint64(6) {
		run(t, func(ctx context.Context) error {
			network, address := "tcp", "127.0.0.1:0"
			if seed%2 == 1 {
				network, address = "unix", t.TempDir()+"/socket"
			}
			client, server := connectVia(t, ctx, network, address, &aionet.Dialer{})
			if err := exchangeAtRandom(ctx, rand.New(rand.NewPCG(seed, 1)).IntN, client, server); err != nil {
				return fmt.Errorf("seed %d: %w", seed, err)
			}
			return nil
		})
	}
}

// exchangeAtRandom uses the connection in ways that draw draws: numbers below its argument.
func exchangeAtRandom(ctx context.Context, draw func(n int) int, client, server *aionet.Conn) error {
	defer server.Close()
	var accepted []byte
	writer := asyncio.Go(ctx, func(ctx context.Context) (err error) {
		accepted, err = writeAtRandom(ctx, client, draw)
		return err
	})
	got, err := readAtRandom(ctx, server, draw)
	if err != nil {
		return err
	}
	if _, err := writer.Await(ctx); err != nil {
		return err
	}
	if !bytes.Equal(got, accepted) {
		return fmt.Errorf("%d bytes arrived, %d were accepted, and they differ", len(got), len(accepted))
	}
	return nil
}

// briefly calls f within a random time. Running out of it is no error.
func briefly(ctx context.Context, draw func(n int) int, f func() error) error {
	d := time.Duration(3-draw(4)) * time.Millisecond
	err := asyncio.Timeout(ctx, d, func(context.Context) error { return f() })
	if errors.Is(err, asyncio.ErrTimeout) {
		return asyncio.Sleep(ctx, d)
	}
	return err
}

func writeAtRandom(ctx context.Context, c *aionet.Conn, draw func(n int) int) (accepted []byte, err error) {
	c.SetWriteBuffer(50, 10)
	random := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		if draw(4) == 0 { // the reader waits, and is cancelled
			if err := asyncio.Sleep(ctx, 2*time.Millisecond); err != nil {
				return accepted, err
			}
		}
		p := make([]byte, 119-draw(120))
		for i := range p {
			p[i] = "abcd\r\n"[random.IntN(6)]
		}
		took := 0
		err := briefly(ctx, draw, func() error {
			switch draw(4) {
			case 0:
				c.Enqueue(p)
				took = len(p)
				return c.Drain()
			case 1:
				cut := draw(len(p) + 1)
				n, err := c.Writev(p[:cut], p[cut:])
				took = int(n)
				return err
			case 2:
				c.Enqueue(p)
				took = len(p)
				return nil
			default:
				n, err := c.Write(p)
				took = n
				return err
			}
		})
		accepted = append(accepted, p[:took]...)
		if err != nil {
			return accepted, err
		}
	}
	return accepted, c.Close()
}

func readAtRandom(ctx context.Context, c *aionet.Conn, draw func(n int) int) (got []byte, err error) {
	for {
		c.SetReadLimit(1 + draw(200))
		err := briefly(ctx, draw, func() error {
			switch draw(4) {
			case 0:
				p := make([]byte, 49-draw(50))
				n, err := c.Read(p)
				got = append(got, p[:n]...)
				return err
			case 1:
				b, err := c.ReadUntil([]byte("\r\n"), []byte("aba"))
				if err == nil {
					got = append(got, b...)
				}
				return err
			case 2:
				b, err := c.Peek(draw(100))
				n := draw(len(b) + 1)
				got = append(got, b[:n]...)
				c.Discard(n)
				return err
			default:
				p := make([]byte, 1+draw(3))
				n, err := io.ReadFull(c, p) // whose part that came is taken, as with any reader
				got = append(got, p[:n]...)
				return err
			}
		})
		_, long := errors.AsType[*aionet.LimitError](err)
		switch {
		case err == io.EOF:
			return got, nil
		case err != nil && err != io.ErrUnexpectedEOF && !long:
			return got, err
		}
	}
}
