package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// programEnv makes the program of the test binary.
const programEnv = "RAFTKV_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a process that ends with the test.
func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), programEnv+"=1")
	return cmd
}

func addresses(t *testing.T, n int) string {
	var all []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return strings.Join(all, ",")
}

// Three processes, each of which is killed and started again.
func TestProgram_SurvivesKills(t *testing.T) {
	dir, peers := t.TempDir(), addresses(t, 3)
	nodes := map[int]*exec.Cmd{}
	start := func(id int) {
		nodes[id] = program(t, dir, "-id", fmt.Sprint(id), "-peers", peers)
		if err := nodes[id].Start(); err != nil {
			t.Fatal(err)
		}
	}
	kill := func(id int) {
		_ = nodes[id].Process.Kill()
		_ = nodes[id].Wait()
	}
	for id := range 3 {
		start(id + 1)
		defer kill(id + 1)
	}
	want := ""
	for id := range 3 {
		kill(id + 1)
		want += fmt.Sprint(id)
		cmd := program(t, dir, "-ask", peers, "append", "k", fmt.Sprint(id))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if got := string(out); err != nil || got != "done "+want+"\n" {
			t.Errorf("append without node %d: %q, %v, want %s\n%s", id+1, got, err, want, &stderr)
		}
		start(id + 1)
	}
}
