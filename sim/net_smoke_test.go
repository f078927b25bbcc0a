package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

func TestNetwork_Smoke(t *testing.T) {
	r := sim.Explore(func(ctx context.Context, w *sim.World) error {
		var up asyncio.Event
		w.Host(ctx, "server", func(ctx context.Context) error {
			l, err := aionet.Listen(ctx, "tcp", ":80")
			if err != nil {
				return err
			}
			up.Set()
			err = aionet.Serve(ctx, l, func(ctx context.Context, c *aionet.Conn) error {
				_, err := io.Copy(c, c)
				return err
			})
			if errors.As(err, new(*asyncio.CancelledError)) {
				return nil
			}
			return err
		})
		if err := up.Wait(ctx); err != nil {
			return err
		}
		c, err := aionet.Dial(ctx, "tcp", "server:80")
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("hello")); err != nil {
			return err
		}
		if err := c.CloseWrite(); err != nil {
			return err
		}
		b, err := io.ReadAll(c)
		if string(b) != "hello" {
			return fmt.Errorf("%q %v %v", b, err, w.Net().Open())
		}
		return err
	}, sim.Options{Seeds: 300})
	if r.Failure != nil {
		t.Fatal(r.Failure)
	}
	t.Logf("%+v", *r)
}
