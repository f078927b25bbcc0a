package loophttp_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// curlCommand is the real curl.
func curlCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	return exec.CommandContext(t.Context(), path, append([]string{"-sS", "-q", "--noproxy", "*", "-m", "60"}, args...)...)
}

func curl(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := curlCommand(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// exitOf is the exit status of curl, which says what went wrong.
func exitOf(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}

func TestCurl_GetsAndPosts(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(w, r.Body); n == 0 {
			io.WriteString(w, "hello, "+r.UserAgent()[:4])
		} else if err != nil {
			t.Error(err)
		}
	})
	if out, errs, err := curl(t, s.URL); out != "hello, curl" || err != nil {
		t.Errorf("%q %q, %v", out, errs, err)
	}
	big := strings.Repeat("0123456789abcdef", 1<<17) // over a megabyte curl asks whether to go on
	file := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(file, []byte(big), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--data-binary", "@" + file, "-H", "Expect: 100-continue"},
		{"--data-binary", "@" + file, "-H", "Transfer-Encoding: chunked"},
		{"-T", file, s.URL, "-T", file}, // two, over one connection if the server lets it
	} {
		out, errs, err := curl(t, append(args, s.URL)...)
		if strings.ReplaceAll(out, big, "") != "" || len(out) == 0 || err != nil {
			t.Errorf("%v: %d bytes came back, %q, %v", args, len(out), errs, err)
		}
	}
	s.wantQuiet(t)
}

// The handler refuses the body without reading it.
func TestCurl_BodyIsNotRead(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "too big", http.StatusRequestEntityTooLarge)
	})
	file := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(file, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, err := curl(t, "-w", "%{http_code}", "-T", file, s.URL)
	if out != "too big\n413" || err != nil {
		t.Errorf("%q %q, %v", out, errs, err)
	}
}

func TestCurl_ReadsSlowly(t *testing.T) {
	const size = 1 << 20
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(w, io.LimitReader(endless{}, size)); n != size || err != nil {
			t.Error(n, err)
		}
	})
	out, errs, err := curl(t, "--limit-rate", "4M", s.URL)
	if len(out) != size || err != nil {
		t.Errorf("%d bytes, %q, %v", len(out), errs, err)
	}
	s.wantQuiet(t)
}

// curl gives up in the middle of an answer without end; the task is told.
func TestCurl_GoesAway(t *testing.T) {
	failed := make(chan error, 1)
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, endless{})
		failed <- err
	})
	cmd := curlCommand(t, s.URL)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1_000_000)); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // was killed
	var cancelled *asyncio.CancelledError
	if err := <-failed; !errors.As(err, &cancelled) {
		t.Errorf("Write: %v", err)
	}
	s.wantQuiet(t)
}

func TestCurl_SeesThatAnAnswerBreaksOff(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "part")
		w.(http.Flusher).Flush()
		panic("gone")
	})
	out, _, err := curl(t, s.URL)
	if out != "part" || exitOf(err) != 18 { // a partial file
		t.Errorf("%q, %v", out, err)
	}
	s.close()
	if out, _, err := curl(t, "-w", "%{http_code}", s.URL); out != "Service Unavailable\n503" || err != nil {
		t.Errorf("after the loop: %q, %v", out, err)
	}
}
