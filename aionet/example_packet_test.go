package aionet_test

import (
	"context"
	"fmt"
	"os"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

func ExampleListenPacket() {
	runExample(func(ctx context.Context) error {
		server, err := aionet.ListenPacket(ctx, "udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer server.Close()
		echoing := asyncio.Go(ctx, func(context.Context) error {
			buf := make([]byte, 1500)
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return err
			}
			_, err = server.WriteTo(buf[:n], from)
			return err
		})

		c, err := aionet.DialPacket(ctx, "udp", server.LocalAddr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("is anybody there?")); err != nil {
			return err
		}
		buf := make([]byte, 1500)
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", buf[:n])
		_, err = echoing.Await(ctx)
		return err
	})
	// Output: is anybody there?
}

func ExampleNewPipe() {
	runExample(func(ctx context.Context) error {
		rf, wf, err := os.Pipe()
		if err != nil {
			return err
		}
		r, err := aionet.NewPipe(ctx, rf)
		if err != nil {
			return err
		}
		defer r.Close()
		w, err := aionet.NewPipe(ctx, wf)
		if err != nil {
			return err
		}
		writing := asyncio.Go(ctx, func(context.Context) error {
			fmt.Fprint(w, "one\ntwo\n")
			return w.Close()
		})
		for line, err := range r.Lines() {
			if err != nil {
				return err
			}
			fmt.Printf("%s\n", line)
		}
		_, err = writing.Await(ctx)
		return err
	})
	// Output:
	// one
	// two
}

func ExampleResolver() {
	runExample(func(ctx context.Context) error {
		var r aionet.Resolver
		ips, err := r.LookupNetIP(ctx, "ip4", "localhost")
		if err != nil {
			return err
		}
		fmt.Println(ips[0])
		return nil
	})
	// Output: 127.0.0.1
}

func ExampleDialPacket() {
	runExample(func(ctx context.Context) error {
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
	// Output: ping, from the client: true
}
