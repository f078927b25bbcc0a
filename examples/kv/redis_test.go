package main

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tool is the path of a program of Debian's redis-server or redis-tools. Where it
// is not installed the test is skipped.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: apt-get install redis-server redis-tools", name)
	}
	return path
}

// startRedis starts a real server on a socket in a temporary folder.
func startRedis(t *testing.T) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "redis.sock")
	cmd := exec.Command(tool(t, "redis-server"), "--port", "0", "--unixsocket", socket,
		"--save", "", "--appendonly", "no", "--dir", filepath.Dir(socket))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for range 500 {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			return socket
		}
		time.Sleep(10 * time.Millisecond) // another process; nothing to wait on
	}
	t.Fatal("redis-server does not listen")
	return ""
}

// A remote client talks to a server over a connection.
type remote struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func dial(t *testing.T, network, address string) *remote {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &remote{t, conn, bufio.NewReader(conn)}
}

func (c *remote) write(text string) {
	c.t.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.conn.Write([]byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *remote) send(args ...string) {
	c.t.Helper()
	c.write(request(args...))
}

// request is a request as clients send it.
func request(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

func (c *remote) receive() string {
	c.t.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(20 * time.Second))
	reply, err := readReply(c.r)
	if err != nil {
		c.t.Fatalf("after %q: %v", reply, err)
	}
	return reply
}

func (c *remote) do(args ...string) string {
	c.t.Helper()
	c.send(args...)
	return c.receive()
}
