package main

import (
	"context"
	"net"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

func init() { churners["ours"] = churnOurs }

func churnOurs(address string, work func(dial func() (net.Conn, error)) error) error {
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, work(func() (net.Conn, error) { return aionet.Dial(ctx, "tcp", address) })
	})
	return err
}
