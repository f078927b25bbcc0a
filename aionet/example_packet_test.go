package aionet_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

func ExampleListenPacket() {
	err := new(asyncio.Runner).Run(context.Background(), func(ctx context.Context) error {
		server, err := aionet.ListenPacket(ctx, "udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer server.Close()
		client, err := aionet.DialPacket(ctx, "udp", server.LocalAddr().String())
		if err != nil {
			return err
		}
		defer client.Close()
		if _, err := client.Write([]byte("ping")); err != nil {
			return err
		}
		buf := make([]byte, 1500)
		n, from, err := server.ReadFrom(buf)
		fmt.Printf("%s, from the client: %t\n", buf[:n], from.String() == client.LocalAddr().String())
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: ping, from the client: true
}

func ExampleDialPacket() {
	err := new(asyncio.Runner).Run(context.Background(), func(ctx context.Context) error {
		server, err := aionet.ListenPacket(ctx, "udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer server.Close()
		asyncio.Go(ctx, func(context.Context) error {
			buf := make([]byte, 1500)
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return err
			}
			_, err = server.WriteTo(append([]byte("you said "), buf[:n]...), from)
			return err
		})
		client, err := aionet.DialPacket(ctx, "udp", server.LocalAddr().String())
		if err != nil {
			return err
		}
		defer client.Close()
		if _, err := client.Write([]byte("hello")); err != nil {
			return err
		}
		buf := make([]byte, 1500)
		n, err := client.Read(buf)
		fmt.Printf("%s\n", buf[:n])
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: you said hello
}

func ExampleNewPipe() {
	err := new(asyncio.Runner).Run(context.Background(), func(ctx context.Context) error {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		in, err := aionet.NewPipe(ctx, r)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := aionet.NewPipe(ctx, w)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "through a pipe")
		_ = out.Close()
		for line, err := range in.Lines() {
			if err != nil {
				return err
			}
			fmt.Printf("%s\n", line)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: through a pipe
}
