// Package examples_test runs the examples and compares what they print.
package examples_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestExamples(t *testing.T) {
	sources, err := filepath.Glob("*/main.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no examples found: %v", err)
	}
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin+string(filepath.Separator), "./...")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, source := range sources {
		name := filepath.Dir(source)
		if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
			continue // a module of its own, with tests of its own
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr := runProgram(t, filepath.Join(bin, name))
			compare(t, stdout, read(t, filepath.Join(name, "output.txt")))
			checkReports(t, name, stderr)
		})
	}
}

func runProgram(t *testing.T, path string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, path)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "ASYNCIODEBUG=0")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\nstdout:\n%s\nstderr:\n%s", path, err, &out, &errs)
	}
	return out.String(), errs.String()
}

// compare compares line by line. A line of want that ends in " …" stands for
// every line that begins with what is before that.
func compare(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	same := len(g) == len(w)
	for i := 0; same && i < len(g); i++ {
		prefix, abridged := strings.CutSuffix(w[i], " …")
		same = g[i] == w[i] || abridged && strings.HasPrefix(g[i], prefix)
	}
	if !same {
		t.Errorf("stdout:\n%s\nwant:\n%s", got, want)
	}
}

// checkReports checks stderr, where the loops report what is wrong: only debug
// has anything to report, of each of the two places at which it blocks.
func checkReports(t *testing.T, name, stderr string) {
	t.Helper()
	if name != "debug" {
		if stderr != "" {
			t.Errorf("stderr: %s, want nothing", stderr)
		}
		return
	}
	sleeps := linesWith(read(t, "debug/main.go"), "time.Sleep(")
	if len(sleeps) != 2 {
		t.Fatalf("debug/main.go blocks in lines %v, want two", sleeps)
	}
	task := `<Task [^>]*name='Task-1' coro=main\.blockingTask\(\)[^>]*>`
	for _, want := range []string{
		`Executing ` + task + ` has been blocking loop 1 for \d\.\d{3} seconds.*main\.go:` + sleeps[0],
		`Executing ` + task + ` took \d\.\d{3} seconds`,
		`Executing <Handle main.blockingCallback.func1\(\)> has been blocking loop 2 for \d\.\d{3} seconds.*main\.go:` + sleeps[1],
		`Executing <Handle main\.blockingCallback[^>]*> took \d\.\d{3} seconds`,
	} {
		if n := len(regexp.MustCompile(want).FindAllString(stderr, -1)); n != 1 {
			t.Errorf("stderr has %d lines like %s, want one:\n%s", n, want, stderr)
		}
	}
}

// linesWith are the numbers of the lines of text that contain part.
func linesWith(text, part string) (numbers []string) {
	for i, line := range strings.Split(text, "\n") {
		if strings.Contains(line, part) {
			numbers = append(numbers, fmt.Sprint(i+1))
		}
	}
	return numbers
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
