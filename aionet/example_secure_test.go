package aionet_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
)

// serveExample serves on a free port, with an authority of the example's own, until the
// returned function is called.
func serveExample(ctx context.Context, s *aionet.Server) (address string, stop func()) {
	l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	serving := asyncio.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, l) })
	return l.Addr().String(), func() {
		_ = s.Shutdown(ctx)
		_, _ = serving.Await(ctx)
	}
}

func runExample(main func(ctx context.Context) error) {
	if _, err := asyncio.Run(context.Background(), asyncio.Void(main)); err != nil {
		log.Fatal(err)
	}
}

func ExampleDialer_tls() {
	runExample(func(ctx context.Context) error {
		address, stop := serveExample(ctx, &aionet.Server{
			TLS: &tls.Config{Certificates: []tls.Certificate{trusted().server}, NextProtos: []string{"greeting"}},
			Handler: func(ctx context.Context, c *aionet.Conn) error {
				_, err := fmt.Fprintln(c, "hello over", c.TLS().NegotiatedProtocol)
				return err
			}})
		defer stop()

		d := &aionet.Dialer{TLS: &tls.Config{RootCAs: trusted().pool, NextProtos: []string{"greeting"}}}
		c, err := d.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		line, err := c.ReadLine()
		fmt.Printf("%s\n", line)
		return err
	})
	// Output: hello over greeting
}

func ExampleConn_StartTLS() {
	runExample(func(ctx context.Context) error {
		address, stop := serveExample(ctx, &aionet.Server{Handler: func(ctx context.Context, c *aionet.Conn) error {
			if _, err := c.ReadLine(); err != nil { // STARTTLS
				return err
			}
			if _, err := fmt.Fprintln(c, "go ahead"); err != nil {
				return err
			}
			if err := c.AcceptTLS(&tls.Config{Certificates: []tls.Certificate{trusted().server}}); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c, "now it is a secret")
			return err
		}})
		defer stop()

		c, err := aionet.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		fmt.Fprintln(c, "STARTTLS")
		line, err := c.ReadLine()
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", line)
		if err := c.StartTLS(&tls.Config{RootCAs: trusted().pool, ServerName: "server.test"}); err != nil {
			return err
		}
		line, err = c.ReadLine()
		fmt.Printf("%s, says %s\n", line, c.TLS().PeerCertificates[0].Subject.CommonName)
		return err
	})
	// Output:
	// go ahead
	// now it is a secret, says server.test
}

func ExampleConn_ReadFrom() {
	f, err := os.CreateTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	fmt.Fprint(f, "a file, sent without copying it")
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		log.Fatal(err)
	}
	runExample(func(ctx context.Context) error {
		address, stop := serveExample(ctx, &aionet.Server{Handler: func(ctx context.Context, c *aionet.Conn) error {
			_, err := io.Copy(c, f)
			return err
		}})
		defer stop()
		c, err := aionet.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		got, err := io.ReadAll(c)
		fmt.Printf("%s\n", got)
		return err
	})
	// Output: a file, sent without copying it
}
