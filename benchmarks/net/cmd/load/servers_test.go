package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLoad_MeasuresServers runs the programs as rounds.sh does, for a moment. What
// they measure is of no interest, and both share a core.
func TestLoad_MeasuresServers(t *testing.T) {
	bin := t.TempDir() + string(filepath.Separator)
	if out, err := exec.Command("go", "build", "-o", bin, ".", "../../servers/...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct {
		name, args string
		server     string
		want       string
	}{
		{"echo", "echo -peer p -conns 100 -d 50ms", "gonet", `^BenchmarkEcho/conns=100/size=64/peer=p\t[1-9]\d*\t\S+ cpu-ns/op\t.* B/conn\n$`},
		{"bounded", "echo -peer p -conns 1 -size 65536 -n 10", "gnet", `^BenchmarkEcho/conns=1/size=65536/peer=p\t10\t`},
		{"ours", "echo -peer p -conns 1 -work Some -d 50ms", "ours", `^BenchmarkSome/conns=1/size=64/peer=p\t[1-9]`},
		{"reads", "echo -peer p -conns 300 -d 50ms", "ours -reads", `^BenchmarkEcho/conns=300/size=64/peer=p\t[1-9]`},
		{"loops", "echo -peer p -conns 10 -d 50ms", "ours -loops 2", `^BenchmarkEcho/conns=10/size=64/peer=p\t[1-9]`},
		{"idle", "idle -peer p -conns 100", "ours", `^BenchmarkIdle/conns=100/peer=p\t100\t[1-9]\S* B/conn\n$`},
		{"churn", "churn -peer ours -n 20", "gonet", `^BenchmarkChurn/peer=ours\t20\t.*\t0 files-left\t0 goroutines-left\t`},
		{"churn of net", "churn -peer net -n 20", "gonet", `^BenchmarkChurn/peer=net\t20\t.*\t0 files-left\t0 goroutines-left\t`},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append(strings.Fields(c.args), "-client", "0", "--")
			out, err := exec.Command(bin+"load", append(args, strings.Fields(bin+c.server)...)...).Output()
			if err != nil {
				t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
			}
			if !regexp.MustCompile(c.want).Match(withoutNotes(out)) {
				t.Errorf("got %q, want %s", out, c.want)
			}
		})
	}
}

// withoutNotes leaves out the note that a machine permits no samples.
func withoutNotes(out []byte) []byte {
	return regexp.MustCompile(`(?m)^# .*\n`).ReplaceAll(out, nil)
}
