package main

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// cli runs redis-cli against a server and returns what it prints.
func cli(t *testing.T, r *running, input string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, "redis-cli"), append([]string{"-s", r.address}, args...)...)
	if input != "" {
		cmd.Stdin = strings.NewReader(input)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("redis-cli %s: %v", args, err)
	}
	return string(out)
}

func TestTools_RedisCLI(t *testing.T) {
	r := start(t, "unix", defaultLimits)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"SET", "k", "a b"}, "OK\n"},
		{[]string{"GET", "k"}, "a b\n"},
		{[]string{"RPUSH", "l", "x", "y"}, "2\n"},
		{[]string{"LRANGE", "l", "0", "-1"}, "x\ny\n"},
		{[]string{"-n", "1", "GET", "k"}, "\n"},
		{[]string{"-3", "GET", "k"}, "HELLO 3 failed: NOPROTO unsupported protocol version\na b\n"}, // it goes on with RESP2
		{[]string{"LPOP", "k"}, wrongType + "\n\n"},
		{[]string{"--scan", "--pattern", "[kl]"}, "l\nk\n"},
	} {
		if got := cli(t, r, "", c.args...); got != c.want {
			t.Errorf("redis-cli %s: %q, want %q", c.args, got, c.want)
		}
	}
	if got, want := cli(t, r, "MULTI\nINCR n\nINCR n\nEXEC\n"), "OK\nQUEUED\nQUEUED\n1\n2\n"; got != want {
		t.Errorf("a transaction: %q, want %q", got, want)
	}
	if got := cli(t, r, strings.Repeat(request("INCR", "piped"), 10_000), "--pipe"); !strings.Contains(got, "errors: 0, replies: 10000") {
		t.Errorf("--pipe: %s", got)
	}
	if got, want := cli(t, r, "", "GET", "piped"), "10000\n"; got != want {
		t.Errorf("piped: %q, want %q", got, want)
	}
	if got := cli(t, r, "", "--bigkeys"); !strings.Contains(got, "Sampled 4 keys") {
		t.Errorf("--bigkeys: %s", got)
	}
	if got := cli(t, r, "", "INFO"); !strings.Contains(got, "connected_clients:1\r\n") || !strings.Contains(got, "db0:keys=4,") {
		t.Errorf("INFO: %s", got)
	}
}

func TestTools_RedisBenchmark(t *testing.T) {
	r := start(t, "unix", defaultLimits)
	for _, depth := range []string{"1", "16"} {
		cmd := exec.CommandContext(t.Context(), tool(t, "redis-benchmark"), "-s", r.address, "-q", "--csv",
			"-n", "2000", "-c", "50", "-P", depth, "-r", "1000",
			"-t", "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,lrange_100,mset")
		out, err := cmd.CombinedOutput()
		if err != nil || bytes.Contains(out, []byte("WARNING")) || bytes.Contains(out, []byte("Error")) {
			t.Errorf("redis-benchmark -P %s: %v\n%s", depth, err, out)
		}
		if n := bytes.Count(out, []byte{'\n'}); n < 14 {
			t.Errorf("redis-benchmark -P %s: %d lines, want one for each test\n%s", depth, n, out)
		}
	}
	r.until("the clients are gone", func(e *engine) bool { return e.stats.clients == 0 })
}

// The program serves, on both kinds of sockets, until a signal.
func TestProgram_EndsWithASignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "kv.sock")
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-listen", "127.0.0.1:0", "-unix", socket)
			cmd.Env = append(os.Environ(), programEnv+"=1")
			var errs bytes.Buffer
			cmd.Stderr = &errs
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stdout)
			var addresses []string
			for range 2 {
				lines.Scan()
				addresses = append(addresses, strings.TrimPrefix(lines.Text(), "serving on "))
			}
			if addresses[1] != socket {
				t.Errorf("serving on %s", addresses)
			}
			one, two := dial(t, "tcp", addresses[0]), dial(t, "unix", socket)
			one.want("SET k v", "+OK")
			two.want("GET k", "$1 v")
			two.send("BLPOP", "l", "0")
			one.want("PING", "+PONG")
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil || errs.Len() > 0 {
				t.Errorf("it ended with %v, and printed %q", err, &errs)
			}
			if c, err := net.Dial("unix", socket); err == nil {
				c.Close()
				t.Error("somebody still listens")
			}
		})
	}
}
