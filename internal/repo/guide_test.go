package repo_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A block is what stands between two fences of a text.
type block struct {
	info string // behind the first fence
	body string
	at   int // where the body begins
}

// blocksOf are the fenced blocks of a text in Markdown.
func blocksOf(text string) (all []block) {
	for at := 0; ; {
		open := strings.Index(text[at:], "```")
		if open < 0 {
			return all
		}
		at += open + len("```")
		info, body, _ := strings.Cut(text[at:], "\n")
		at += len(info) + 1
		body, _, _ = strings.Cut(body, "```")
		all = append(all, block{info, body, at})
		at += len(body) + len("```")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadme_FirstProgramIsAnExample: what the example prints is tested there.
func TestReadme_FirstProgramIsAnExample(t *testing.T) {
	first := blocksOf(read(t, "README.md"))[0]
	_, program, _ := strings.Cut(read(t, "examples/hello/main.go"), "package main\n") // below its doc
	if first.info != "go" || first.body != "package main\n"+program {
		t.Error("the first program of README.md is not examples/hello")
	}
}

// TestGuide_NetworkIsOfExamples: the code of the chapter stands in a file that is
// compiled and run.
func TestGuide_NetworkIsOfExamples(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(root, "aionet", "example*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, name := range names {
		part, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(part)
	}
	blocks := blocksOf(read(t, "docs/guide/network.md"))
	if len(blocks) == 0 {
		t.Error("no code")
	}
	for _, b := range blocks {
		for part := range strings.SplitSeq(strings.TrimSpace(b.body), "\n\n") { // whose order is the chapter's
			if b.info == "go" && !strings.Contains(code.String(), part) {
				t.Errorf("not in an example of aionet:\n%s", part)
			}
		}
	}
}

// sessions are the texts that are a session: their Go blocks that name a file, as in
// "```go shop.go", are the files of a module, and their blocks of "```console" are
// commands, with what those print. Read from the top, each file replaces the one of
// its name, and each command prints what it says.
var sessions = []struct{ text, module string }{
	{"README.md", "example.com/client"},
	{"docs/guide/simulation.md", "example.com/shop"},
}

func TestGuide_SessionsPrintWhatTheyShow(t *testing.T) {
	for _, s := range sessions {
		t.Run(filepath.Base(s.text), func(t *testing.T) {
			t.Parallel()
			dir := newModule(t, s.module)
			text, commands := read(t, s.text), 0
			printed := text
			for _, b := range blocksOf(text) {
				if name, ok := strings.CutPrefix(b.info, "go "); ok {
					write(t, filepath.Join(dir, name), sourceOf(b.body, filepath.Base(s.module)))
				} else if b.info == "console" {
					commands++
					at := b.at + len(printed) - len(text)
					printed = printed[:at] + converse(t, dir, b.body) + printed[at+len(b.body):]
				}
			}
			if commands == 0 {
				t.Error("it has no commands")
			}
			if *update {
				write(t, filepath.Join(root, s.text), printed)
			}
		})
	}
}

// converse runs the command of a block and compares what it prints with the block. It
// returns the block as it should be.
func converse(t *testing.T, dir, body string) string {
	t.Helper()
	prompt, want, _ := strings.Cut(body, "\n")
	command, ok := strings.CutPrefix(prompt, "$ ")
	if !ok {
		t.Fatalf("a console block begins with a command:\n%s", body)
	}
	got := runCommand(t, dir, command)
	if shows(want, got) {
		return body
	}
	if !*update {
		t.Errorf("%s\n%s\nwant:\n%s", prompt, got, want)
	}
	return prompt + "\n" + got
}

// newModule is the folder of an empty module that uses this repository.
func newModule(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	_, requires, _ := strings.Cut(read(t, "go.mod"), "\nrequire ")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), fmt.Sprintf("module %s\n\ngo 1.26\n\nreplace github.com/asyncio-go/asyncio => %s\n\n"+
		"require github.com/asyncio-go/asyncio v0.0.0\n\nrequire %s", path, abs, requires))
	write(t, filepath.Join(dir, "go.sum"), read(t, "go.sum"))
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// imports are what a block may use without importing it.
var imports = []string{
	"context", "errors", "fmt", "io", "testing", "time", "github.com/asyncio-go/asyncio",
	"github.com/asyncio-go/asyncio/aionet", "github.com/asyncio-go/asyncio/sim",
}

// sourceOf is a block as a file: it needs to say neither its package nor its imports.
// Its lines keep their numbers.
func sourceOf(code, pkg string) string {
	if strings.HasPrefix(code, "package ") || strings.Contains(code, "\npackage ") {
		return code
	}
	head := "package " + pkg
	for _, path := range imports {
		name := path[strings.LastIndexByte(path, '/')+1:]
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(code) {
			head += fmt.Sprintf("; import %q", path)
		}
	}
	return head + "; " + code
}

// runCommand is what a command prints. It may fail: the tests of a session do.
func runCommand(t *testing.T, dir, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir = dir
	// The last run that passed is another with other jobs.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOFLAGS=-mod=mod", "GOWORK=off", "ASYNCIODEBUG=0")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", command, err)
	}
	return string(out)
}

var elapsed = regexp.MustCompile(`(?m)\(\d+\.\d\ds\)|\t\d+\.\d{3}s$|\t\(cached\)$`)

// left matches what a block leaves out: a line "…", which stands for any number of
// them, or the rest of a line.
var left = regexp.MustCompile(`(?m)^ *…\n|…$`)

// shows reports whether want shows got, how long tests took apart.
func shows(want, got string) bool {
	want, got = elapsed.ReplaceAllString(want, ""), elapsed.ReplaceAllString(got, "")
	pattern, at := `\A`, 0
	for _, l := range left.FindAllStringIndex(want, -1) {
		pattern += regexp.QuoteMeta(want[at:l[0]])
		if at = l[1]; want[at-1] == '\n' {
			pattern += `(?:.*\n)*?`
		} else {
			pattern += `.*`
		}
	}
	return regexp.MustCompile(pattern + regexp.QuoteMeta(want[at:]) + `\z`).MatchString(got)
}

func TestSession_WhatABlockShows(t *testing.T) {
	const got = "--- FAIL: TestX (0.03s)\n    one\n    two, and more\nFAIL\n"
	for want, same := range map[string]bool{
		got: true,
		"--- FAIL: TestX (0.00s)\n    …\nFAIL\n":                    true,
		"--- FAIL: TestX (0.00s)\n    one\n    two, …\nFAIL\n":      true,
		"--- FAIL: TestX (0.00s)\n    one\n    three, …\nFAIL\n":    false,
		"--- FAIL: TestX (0.00s)\n    one\n    two, and more\n":     false,
		"--- FAIL: TestX (0.00s)\n    one\n    two…\n    …\nFAIL\n": true,
	} {
		if shows(want, got) != same {
			t.Errorf("%q shows %q: %v", want, got, !same)
		}
	}
}
