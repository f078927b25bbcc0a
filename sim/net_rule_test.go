package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// ruled runs f on a stage whose rule is, from the handshake on, what rule makes of each
// packet.
func ruled(t *testing.T, rule func(s *stage, p sim.Packet) sim.Verdict, f func(ctx context.Context, s *stage) error) {
	t.Helper()
	staged(t, 30, func(ctx context.Context, s *stage) error {
		s.w.Net().Rule(func(p sim.Packet) sim.Verdict { return rule(s, p) })
		return f(ctx, s)
	})
}

// exchange sends a text each way and closes both.
func (s *stage) exchange() error {
	for _, c := range []*aionet.Conn{s.client, s.server} {
		if err := write(c, "some text"); err != nil {
			return err
		}
		if err := c.CloseWrite(); err != nil {
			return err
		}
	}
	return errors.Join(wantsAll(s.server, "some text", io.EOF), wantsAll(s.client, "some text", io.EOF))
}

func TestRule_SeesEveryPacket(t *testing.T) {
	explored(t, 30, func(ctx context.Context, w *sim.World) error {
		var there, back []sim.PacketKind
		var data string
		w.Net().Rule(func(p sim.Packet) sim.Verdict {
			if p.To.Addr().String() == "10.0.0.1" {
				there, data = append(there, p.Kind), data+string(p.Data)
			} else {
				back = append(back, p.Kind)
			}
			return sim.Deliver
		})
		_, its := stay(ctx, w, "server")
		client, server, err := (venue{ctx, its, "server", 0}).pair(ctx)
		if err != nil {
			return err
		}
		if err := write(client, "x"); err != nil {
			return err
		}
		if err := client.CloseWrite(); err != nil {
			return err
		}
		if err := wantsAll(server, "x", io.EOF); err != nil {
			return err
		}
		server.Abort()
		_, err = client.Read(make([]byte, 1))
		if err := wants("Read", err, syscall.ECONNRESET); err != nil {
			return err
		}
		if want := []sim.PacketKind{sim.PacketSYN, sim.PacketACK, sim.PacketData, sim.PacketFIN}; !slices.Equal(there, want) || data != "x" {
			return fmt.Errorf("there: %v, %q", there, data)
		}
		if want := []sim.PacketKind{sim.PacketSYN, sim.PacketACK, sim.PacketACK, sim.PacketRST}; !slices.Equal(back, want) {
			return fmt.Errorf("back: %v", back)
		}
		return client.Close()
	})
}

func TestRule_WhatIsDroppedIsSentAgain(t *testing.T) {
	for _, kind := range []sim.PacketKind{sim.PacketData, sim.PacketFIN, sim.PacketACK} {
		ruled(t, func(s *stage, p sim.Packet) sim.Verdict {
			if p.Kind != kind {
				return sim.Deliver
			}
			if p.Again || kind == sim.PacketACK && s.w.Now() > time.Second {
				s.again++
				return sim.Deliver
			}
			s.first++
			return sim.Drop
		}, func(ctx context.Context, s *stage) error {
			if err := s.exchange(); err != nil {
				return err
			}
			if s.first == 0 || s.again == 0 && kind != sim.PacketACK {
				return fmt.Errorf("%s: %d dropped, %d sent again", kind, s.first, s.again)
			}
			return nil
		})
	}
}

func TestRule_ADroppedPacketStallsWhatFollows(t *testing.T) {
	ruled(t, func(s *stage, p sim.Packet) sim.Verdict {
		if p.Kind == sim.PacketData && s.first == 0 {
			s.first++
			return sim.Drop
		}
		return sim.Deliver
	}, func(ctx context.Context, s *stage) error {
		began := s.w.Now()
		for _, text := range []string{"one", "two", "three"} {
			if err := write(s.client, text); err != nil {
				return err
			}
		}
		if _, err := s.server.Peek(1); err != nil {
			return err
		}
		if err := s.took(began, 205*time.Millisecond); err != nil { // the time until it is sent again
			return err
		}
		return s.exchangeAfter("onetwothree")
	})
}

// exchangeAfter ends the client's stream and wants the server to have read the text.
func (s *stage) exchangeAfter(text string) error {
	if err := s.client.CloseWrite(); err != nil {
		return err
	}
	return wantsAll(s.server, text, io.EOF)
}

func TestRule_DuplicatesAreReadOnce(t *testing.T) {
	ruled(t, func(*stage, sim.Packet) sim.Verdict { return sim.Duplicate }, func(ctx context.Context, s *stage) error {
		return s.exchange()
	})
}

func TestRule_DelayKeepsTheOrder(t *testing.T) {
	ruled(t, func(s *stage, _ sim.Packet) sim.Verdict {
		if s.first++; s.first == 1 {
			return sim.Delay(time.Second)
		}
		return sim.Deliver
	}, func(ctx context.Context, s *stage) error {
		began := s.w.Now()
		if err := errors.Join(write(s.client, "one"), write(s.client, "two")); err != nil {
			return err
		}
		if _, err := s.server.Peek(6); err != nil {
			return err
		}
		if err := s.took(began, 1005*time.Millisecond); err != nil {
			return err
		}
		return s.exchangeAfter("onetwo")
	})
}

func TestRule_ResetEndsBothSides(t *testing.T) {
	ruled(t, func(_ *stage, p sim.Packet) sim.Verdict {
		if p.Kind == sim.PacketData {
			return sim.Reset
		}
		return sim.Deliver
	}, func(ctx context.Context, s *stage) error {
		if err := write(s.client, "x"); err != nil {
			return err
		}
		for _, c := range []*aionet.Conn{s.client, s.server} {
			_, err := c.Read(make([]byte, 1))
			if err := wants("Read", err, syscall.ECONNRESET); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestRule_ResetOfARequestIsARefusal(t *testing.T) {
	ruled(t, func(*stage, sim.Packet) sim.Verdict { return sim.Reset }, func(ctx context.Context, s *stage) error {
		_, err := aionet.Dial(ctx, "tcp", "server:80")
		return wants("Dial", err, syscall.ECONNREFUSED)
	})
}

func TestRule_OfDatagrams(t *testing.T) {
	for _, test := range []struct {
		verdict sim.Verdict
		want    string
	}{
		{sim.Deliver, "a b"}, {sim.Drop, "b"}, {sim.Duplicate, "a a b"}, {sim.Delay(time.Second), "b a"},
	} {
		explored(t, 20, func(ctx context.Context, w *sim.World) error {
			n := w.Net()
			n.SetLatency(time.Millisecond, time.Millisecond)
			n.Rule(func(p sim.Packet) sim.Verdict {
				if string(p.Data) == "a" {
					return test.verdict
				}
				return sim.Deliver
			})
			return wantsDatagrams(ctx, w, []string{"a", "b"}, test.want)
		})
	}
}

func TestRule_ResetOfADatagramIsARefusal(t *testing.T) {
	explored(t, 20, func(ctx context.Context, w *sim.World) error {
		w.Net().Rule(func(sim.Packet) sim.Verdict { return sim.Reset })
		_, its := stay(ctx, w, "server")
		client, server, err := (venue{ctx, its, "server", 0}).sockets(ctx)
		if err != nil {
			return err
		}
		defer server.Close()
		defer client.Close()
		if err := second(client.Write([]byte("x"))); err != nil {
			return err
		}
		return wants("Read", second(client.Read(make([]byte, 1))), syscall.ECONNREFUSED)
	})
}
