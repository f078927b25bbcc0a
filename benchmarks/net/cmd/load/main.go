// Load starts a server, loads it over TCP on the loopback interface, and prints
// what that cost the server, as a line in the format of Go's benchmarks.
//
//	load echo  -peer NAME -conns 100 -size 64 -- SERVER [ARG]...
//	load idle  -peer NAME -conns 10000 -- SERVER [ARG]...
//	load redis -peer NAME -pipeline 16 -- SERVER [ARG]...
//	load churn -peer CLIENT -n 100000 -- SERVER [ARG]...
//
// The server gets the cores of -server, the load those of -client. A server
// prints its address as its first line; {port} in an ARG becomes a free port,
// for servers that have to be told. The server is killed at the end, and dies
// with the load should that be killed.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// options are the flags of all measurements.
type options struct {
	peer           string
	server, client cores
	command        []string

	conns, size int
	duration    time.Duration
	requests    int
	work        string
	pipeline    int
}

var measurements = map[string]func(*options) error{"echo": echo, "idle": idle, "redis": redis, "churn": churn}

func main() {
	runtime.LockOSThread() // children die with the thread that started them
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || measurements[args[0]] == nil {
		return fmt.Errorf("say what to measure: echo, idle, redis or churn")
	}
	o := options{server: cores{0}, client: cores{1}}
	flags := flag.NewFlagSet("load "+args[0], flag.ContinueOnError)
	flags.StringVar(&o.peer, "peer", "", "`name` of the server in the results")
	flags.StringVar(&o.work, "work", "Echo", "`name` of the work in the results of echo")
	flags.Var(&o.server, "server", "`cores` of the server, as in 0,1")
	flags.Var(&o.client, "client", "`cores` of the load")
	flags.IntVar(&o.conns, "conns", 100, "connections")
	flags.IntVar(&o.size, "size", 64, "bytes of a message")
	flags.DurationVar(&o.duration, "d", 3*time.Second, "how long an echo is measured at most")
	flags.IntVar(&o.requests, "n", 10_000_000, "how many requests are measured at most")
	flags.IntVar(&o.pipeline, "pipeline", 1, "requests of redis that go out together")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if o.command = flags.Args(); len(o.command) == 0 || o.peer == "" {
		return fmt.Errorf("-peer and the command of a server are needed")
	}
	if err := pin(o.client); err != nil {
		return err
	}
	return measurements[args[0]](&o)
}

// cores are numbers of processors, as a flag.
type cores []int

func (c *cores) String() string { return strings.Trim(fmt.Sprint([]int(*c)), "[]") }

func (c *cores) Set(s string) error {
	*c = nil
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return err
		}
		*c = append(*c, n)
	}
	return nil
}

// A metric is a number with its unit, as in a line of a benchmark.
type metric struct {
	value float64
	unit  string
}

// printLine prints a result in the format of Go's benchmarks.
func printLine(name, peer string, n int64, metrics ...metric) {
	fmt.Printf("Benchmark%s/peer=%s\t%d", name, peer, n)
	for _, m := range metrics {
		fmt.Printf("\t%.6g %s", m.value, m.unit)
	}
	fmt.Println()
}
