//go:build unix

// Package servertest starts real servers for the tests of recipes: in a temporary
// folder, on a Unix socket in it, with no network.
package servertest

import (
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Postgres starts a PostgreSQL server that lives as long as the test, and returns
// a connection string. It skips the test if none is installed.
func Postgres(t *testing.T) string {
	initdb, server := find(t, "initdb"), find(t, "postgres")
	dir := folder(t)
	data := filepath.Join(dir, "data")
	out, err := command(t, dir, initdb, "-D", data, "-U", "test", "-A", "trust", "-N", "-E", "UTF8", "--no-locale").CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	cmd := command(t, dir, server, "-D", data, "-k", dir, "-h", "", "-F", "-c", "max_connections=20", "-c", "log_min_messages=panic")
	start(t, cmd, syscall.SIGINT) // sessions are ended, not waited for
	await(t, func() bool {
		state, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
		return err == nil && strings.Contains(string(state), "\nready")
	})
	return "host=" + dir + " user=test dbname=postgres"
}

// Redis starts a Redis server that lives as long as the test, and returns the
// path of its socket. It skips the test if none is installed.
func Redis(t *testing.T) string {
	server := find(t, "redis-server")
	dir := folder(t)
	socket := filepath.Join(dir, "redis.sock")
	start(t, command(t, dir, server, "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--daemonize", "no"), syscall.SIGTERM)
	await(t, func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return socket
}

// find looks in PATH and where Debian has the programs of PostgreSQL.
func find(t *testing.T, program string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	if len(found) == 0 {
		t.Skipf("%s is not installed", program)
	}
	return slices.Max(found)
}

// folder has a short path, for sockets, and belongs to who runs the server.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "srv")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if c := servant(t); c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// servant is whom servers run as; nil means as the test. PostgreSQL refuses root.
func servant(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Skip("there is nobody but root to run a server as")
	return nil
}

func command(t *testing.T, dir, path string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: servant(t), Setpgid: true}
	return cmd
}

func start(t *testing.T, cmd *exec.Cmd, stop syscall.Signal) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(stop); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Logf("%s: %v", cmd.Path, err)
		}
	})
}

// await returns when the server is ready.
func await(t *testing.T, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ready() {
			return
		}
	}
	t.Fatal("the server is not ready after a minute")
}
