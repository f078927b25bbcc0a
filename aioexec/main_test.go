//go:build linux

package aioexec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aioexec"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// These tests look into /proc for what is left.

// TestMain fails the suite if it leaves a goroutine, a child or a descriptor behind.
func TestMain(m *testing.M) {
	warmUp()
	before := openFiles()
	code := m.Run()
	if code == 0 {
		if left := leftBehind(before); left != "" {
			fmt.Fprintf(os.Stderr, "left behind by the suite: %s\n", left)
			code = 1
		}
	}
	os.Exit(code)
}

// warmUp runs a command: what the Go runtime opens for the first one, it keeps.
func warmUp() {
	_, _ = asyncio.Run(context.Background(), func(ctx context.Context) ([]byte, error) {
		return aioexec.Command("true").Output(ctx)
	})
}

// leftBehind says what is left, once it has had time to end: the Go runtime closes
// and ends some of it a moment later.
func leftBehind(files int) (left string) {
	for range 500 {
		if left = leftNow(files); left == "" {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return left
}

func leftNow(files int) string {
	if left := asynciotest.Dump(); left != "" {
		return "goroutines:\n" + left
	}
	if n := openFiles(); n > files {
		return fmt.Sprintf("%d files are open, %d were before", n, files)
	}
	if left := childProcesses(); len(left) > 0 {
		return fmt.Sprintf("child processes: %v", left)
	}
	return ""
}

// openFiles is the number of descriptors of this process.
func openFiles() int {
	list, _ := os.ReadDir("/proc/self/fd")
	return len(list)
}

// childProcesses are the children of this process, living or not, as "state pid name".
func childProcesses() (all []string) {
	me := strconv.Itoa(os.Getpid())
	for pid, stat := range processes() {
		if stat[1] == me {
			all = append(all, stat[0]+" "+pid)
		}
	}
	return all
}

// processes are the state, parent and group of each process of the system.
func processes() map[string][]string {
	all := map[string][]string{}
	list, _ := os.ReadDir("/proc")
	for _, d := range list {
		if _, err := strconv.Atoi(d.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + d.Name() + "/stat")
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')'):]), " ")
		all[d.Name()] = strings.Fields(rest)
	}
	return all
}

// groupOf are the living processes of a process group.
func groupOf(pgid int) (pids []string) {
	for pid, stat := range processes() {
		if stat[2] == strconv.Itoa(pgid) && stat[0] != "Z" {
			pids = append(pids, pid)
		}
	}
	return pids
}

// leftOfGroup is groupOf, once those that were killed have had time to go.
func leftOfGroup(pgid int) (pids []string) {
	for range 500 {
		if pids = groupOf(pgid); len(pids) == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return pids
}

// run runs main and fails the test if main fails, if anything is logged or if
// anything is left behind.
func run(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	if err := runErr(t, main); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// runErr is run that returns main's error.
func runErr(t *testing.T, main func(ctx context.Context) error) error {
	t.Helper()
	before := openFiles()
	log := &asynciotest.Log{}
	r := asyncio.Runner{}
	r.Options.Logger = slog.New(log)
	r.Options.SlowThreshold, r.Options.StallThreshold = -1, -1
	err := r.Run(t.Context(), main)
	if got := log.Text(); got != "" {
		t.Errorf("logged:\n%s", got)
	}
	if left := leftBehind(before); left != "" {
		t.Errorf("left behind: %s", left)
	}
	return err
}

func wantErr(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text {
		t.Errorf("error is %v\nwant     %v", err, text)
	}
}

// panicOf calls f and returns what it panics with, as text.
func panicOf(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return "no panic"
}

var errBoom = errors.New("boom")

// allocated is the memory that was allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
