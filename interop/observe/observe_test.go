package observe_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/trace"
	"strings"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/internal/check"
	"github.com/asyncio-go/asyncio/interop/observe"
)

func TestMain(m *testing.M) { check.Run(m) }

// debugged runs a loop with two tasks that wait, and returns what the Handler
// answers.
func debugged(t *testing.T, mode asyncio.DebugMode, paths ...string) (answers []string) {
	t.Helper()
	r := &asyncio.Runner{Debug: mode}
	err := r.Run(t.Context(), func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		s := httptest.NewServer(observe.Handler(loop))
		defer s.Close()
		queue := asyncio.NewQueue[int](0)
		for i := range 2 {
			name := fmt.Sprintf("waiter-%d", i)
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name}, queue.Get)
		}
		if err := asyncio.Yield(ctx); err != nil { // they wait then
			return err
		}
		for _, path := range paths {
			answer, err := asyncio.Blocking(ctx, func(context.Context) (string, error) {
				r, err := s.Client().Get(s.URL + path)
				if err != nil {
					return "", err
				}
				defer r.Body.Close()
				body, err := io.ReadAll(r.Body)
				return string(body), err
			})
			if err != nil {
				return err
			}
			answers = append(answers, answer)
		}
		return nil
	})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	return answers
}

func wantParts(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

func TestHandler_ShowsTheTasks(t *testing.T) {
	tasks := debugged(t, asyncio.DebugOff, "/debug/tasks")[0]
	wantParts(t, tasks, "Task-1 (", "waits for Blocking", "waiter-0 (", "waits for get of <Queue-1")
}

// Every coroutine has the label of its loop, in debug mode also of its task.
func TestHandler_ProfileNamesTheTasks(t *testing.T) {
	const path = "/debug/pprof/goroutine?debug=1"
	profile := debugged(t, asyncio.DebugOn, path)[0]
	wantParts(t, profile, `"asyncio.loop":"`, `"asyncio.task":"waiter-0"`, `"asyncio.task":"waiter-1"`, "asyncio.(*Queue")
	profile = debugged(t, asyncio.DebugOff, path)[0]
	wantParts(t, profile, `"asyncio.loop":"`)
	if strings.Contains(profile, "asyncio.task") {
		t.Error("tasks are labelled without debug mode")
	}
	wantParts(t, debugged(t, asyncio.DebugOn, "/debug/pprof/goroutine?debug=2")[0], "[coroutine", "observe_test.go")
}

func TestHandler_LoopIsClosed(t *testing.T) {
	loop, _, closeLoop := check.Loop(t)
	closeLoop()
	w := httptest.NewRecorder()
	observe.Handler(loop).ServeHTTP(w, httptest.NewRequest("GET", "/debug/tasks", nil))
	if w.Code != 503 {
		t.Errorf("status %d", w.Code)
	}
}

// A trace of tasks that switch in the middle of regions is one that the tool reads.
func TestTraced_ShowsTasksAndRegions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := trace.Start(out); err != nil {
		t.Skip(err) // go test -trace has started one
	}
	_, err = asyncio.Run(t.Context(), observe.Traced("import", func(ctx context.Context) (int, error) {
		page := observe.Traced("page", func(ctx context.Context) (int, error) {
			if err := asyncio.Yield(ctx); err != nil {
				return 0, err
			}
			return asyncio.Blocking(ctx, observe.Traced("query", func(ctx context.Context) (int, error) { return 1, nil }))
		})
		_, err := asyncio.Gather(ctx, page, page)
		return 0, err
	}))
	trace.Stop()
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	var text, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "tool", "trace", "-d=parsed", file)
	cmd.Stdout, cmd.Stderr = &text, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("go tool trace: %v\n%s", err, errs.String())
	}
	counts := map[string]int{}
	for line := range strings.Lines(text.String()) {
		for _, kind := range []string{"TaskBegin", "TaskEnd", "RegionBegin", "RegionEnd"} {
			for _, name := range []string{"import", "page", "query"} {
				if strings.Contains(line, kind) && strings.Contains(line, `"`+name+`"`) {
					counts[kind+" "+name]++
				}
			}
		}
	}
	t.Log(counts)
	for kind, n := range map[string]int{"TaskBegin import": 1, "TaskBegin page": 2, "TaskEnd page": 2, "TaskBegin query": 2,
		"RegionBegin page": 2, "RegionEnd page": 2, "RegionEnd query": 2} {
		if counts[kind] != n {
			t.Errorf("the trace has %d × %s, want %d", counts[kind], kind, n)
		}
	}
}
