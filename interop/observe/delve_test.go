package observe_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// A debugger finds a task that waits by its name, and shows where.
func TestDelve_FindsATaskByItsName(t *testing.T) {
	dlv, err := exec.LookPath("dlv")
	if err != nil {
		t.Skip("dlv is not installed")
	}
	dir := t.TempDir()
	program, commands := filepath.Join(dir, "parked"), filepath.Join(dir, "commands")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/parked.go").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	err = os.WriteFile(commands, []byte("continue\ngoroutines -with label asyncio.task=cook -t 12\nexit\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), dlv, "exec", program, "--check-go-version=false",
		"--allow-non-terminal-interactive=true", "--init", commands)
	out, err := cmd.CombinedOutput()
	out = colours.ReplaceAll(out, nil)
	if strings.Contains(string(out), "could not launch process") {
		t.Skipf("no process may be traced here: %s", out)
	}
	if err != nil {
		t.Fatalf("dlv: %v\n%s", err, out)
	}
	wantParts(t, string(out), "[1 goroutines]", "main.serve", "testdata/parked.go:29")
}
