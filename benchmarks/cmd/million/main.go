// Million measures what a great many of a thing take: sleeping tasks, timers
// and, beside them, goroutines in time.Sleep. And it measures how a report of
// the watchdog disturbs a program with many tasks.
//
//	go run ./cmd/million            # all cases, with 1,000,000 of each
//	go run ./cmd/million -n 100000
//	go run ./cmd/million tasks      # only this case, in this process
//
// Each case has a process of its own, because what one leaves behind would
// change what the next one takes.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// stalled is how many tasks sleep while the watchdog reports: as many as n, but
// not more than this.
const stalled = 200_000

var cases = []struct {
	name string
	run  func(n int) error
}{
	{"tasks", tasks},
	{"timers", timers},
	{"goroutines", goroutines},
	{"stall", func(n int) error { return stall(min(n, stalled)) }},
}

func main() {
	n := flag.Int("n", 1_000_000, "how many of each")
	flag.Parse()
	if err := run(*n, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "million:", err)
		os.Exit(1)
	}
}

func run(n int, only string) error {
	if only == "" {
		return runAll(n)
	}
	for _, c := range cases {
		if c.name == only {
			return c.run(n)
		}
	}
	return fmt.Errorf("there is no case %q", only)
}

func runAll(n int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	writeHead(os.Stdout)
	for _, c := range cases {
		cmd := exec.Command(self, "-n", strconv.Itoa(n), c.name)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}
