//go:build unix

package asyncio_test

import (
	"context"
	"fmt"
	"log"

	"github.com/asyncio-go/asyncio"
	"golang.org/x/sys/unix"
)

// A descriptor that no package of this module knows is read by waiting until it is
// readable. Here it is one end of a pipe.
func ExampleLoop_Register() {
	var pipe [2]int
	if err := unix.Pipe(pipe[:]); err != nil {
		log.Fatal(err)
	}
	defer unix.Close(pipe[1])
	_, err := asyncio.Run(context.Background(), func(ctx context.Context) (struct{}, error) {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return struct{}{}, err
		}
		fd, err := loop.Register(uintptr(pipe[0]))
		if err != nil {
			return struct{}{}, err
		}
		fd.OnClose(func() { unix.Close(pipe[0]) }) // at the latest when the loop closes
		asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := unix.Write(pipe[1], []byte("ping"))
			return err
		})
		if err := fd.WaitReadable(ctx); err != nil {
			return struct{}{}, err
		}
		buf := make([]byte, 16)
		n, err := unix.Read(pipe[0], buf)
		fmt.Printf("%s\n", buf[:n])
		return struct{}{}, err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: ping
}
