// Package serving is what the servers written in Go have in common: how they
// are started, and how they talk to who measures them.
package serving

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Buffer is how many bytes a connection reads at a time.
var Buffer = flag.Int("buffer", 4096, "`bytes` that a connection reads at a time")

// Announce prints where the server listens, for the load to know, and begins to
// serve SIGUSR1: the server then gives back what memory it does not use, and
// says so.
func Announce(addr net.Addr) {
	settle := make(chan os.Signal, 1)
	signal.Notify(settle, syscall.SIGUSR1)
	go func() {
		for range settle {
			debug.FreeOSMemory()
			fmt.Println("settled")
		}
	}()
	fmt.Println(addr)
}

// Fail ends the program.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
