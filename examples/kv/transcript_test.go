package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the replies in testdata to those of a real redis-server")

// A transcript is a conversation. A line "a> GET x" is a request of the client a,
// "a<" waits for what it is sent besides; the line below, if it is not empty and no
// such line, is the reply. After "~" in place of ">" the order of an array does
// not matter.
type client interface {
	send(args ...string)
	receive() string
}

// play lets clients have the conversation and returns it with their replies.
func play(t *testing.T, text string, open func() client, settle func()) string {
	t.Helper()
	clients := map[string]client{}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var out bytes.Buffer
	for i, line := range lines {
		who, rest, asks := cutPrompt(line)
		if !asks {
			if line == "" || line[0] == '#' {
				out.WriteString(line + "\n")
			}
			continue
		}
		out.WriteString(line + "\n")
		c := clients[who]
		if c == nil {
			c = open()
			clients[who] = c
		}
		if rest[0] != '<' {
			args, ok := words([]byte(rest[1:]), nil)
			if !ok {
				t.Fatalf("line %d: %s", i+1, line)
			}
			c.send(texts(args)...)
		}
		if i+1 == len(lines) || lines[i+1] == "" {
			settle() // it waits
			continue
		}
		if _, _, asks := cutPrompt(lines[i+1]); asks {
			settle()
			continue
		}
		reply := c.receive()
		if rest[0] == '~' {
			reply = sorted(reply)
		}
		out.WriteString(show(reply) + "\n")
	}
	return out.String()
}

// cutPrompt cuts a line before the >, ~ or < of a client.
func cutPrompt(line string) (who, rest string, ok bool) {
	if len(line) > 1 && 'a' <= line[0] && line[0] <= 'z' && strings.IndexByte(">~<", line[1]) >= 0 {
		return line[:1], line[1:], true
	}
	return "", line, false
}

func texts(args [][]byte) (all []string) {
	for _, a := range args {
		all = append(all, string(a))
	}
	return all
}

// sorted is an array of bulk strings in order.
func sorted(reply string) string {
	r := bytes.NewBufferString(reply)
	line, _ := r.ReadString('\n')
	var items []string
	for r.Len() > 0 {
		item, _ := readReply(r)
		items = append(items, item)
	}
	slices.Sort(items)
	return line + strings.Join(items, "")
}

// TestTranscripts has the conversations in testdata with an engine.
func TestTranscripts(t *testing.T) {
	forTranscripts(t, func(t *testing.T, path, text string) {
		e := newEngine(newClock().now, defaultLimits)
		compare(t, text, play(t, text, func() client { return connect(t, e) }, func() {}))
	})
}

// TestTranscripts_AreTrue has them with a real server.
func TestTranscripts_AreTrue(t *testing.T) {
	socket := startRedis(t)
	forTranscripts(t, func(t *testing.T, path, text string) {
		control := dial(t, "unix", socket)
		control.do("FLUSHALL")
		real := play(t, text, func() client { return dial(t, "unix", socket) }, func() {
			for !strings.Contains(control.do("INFO", "clients"), "blocked_clients:1") {
				time.Sleep(time.Millisecond) // another process
			}
		})
		if *update {
			if err := os.WriteFile(path, []byte(real), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		compare(t, text, real)
	})
}

func forTranscripts(t *testing.T, f func(t *testing.T, path, text string)) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f(t, path, string(text))
		})
	}
}

// compare shows the lines that differ, each with the request above it.
func compare(t *testing.T, want, got string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	if len(w) != len(g) {
		t.Errorf("%d lines, want %d", len(g), len(w))
	}
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			t.Errorf("%s\n got %s\nwant %s", w[max(i-1, 0)], g[i], w[i])
		}
	}
}
