// Package observe looks into a running program: its tasks, its goroutine profile,
// its execution trace.
package observe

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
	"runtime/trace"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/interop/call"
)

// Handler answers with what a loop does: /debug/tasks is its tree of tasks, who
// waits for what and who holds that, and /debug/pprof/ are the profiles of the
// process, among them goroutine?debug=1, which also answers if the loop is blocked.
// Serve it on an address that only you can reach.
func Handler(loop *asyncio.Loop) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/tasks", func(w http.ResponseWriter, r *http.Request) {
		tasks, err := call.Task(r.Context(), loop, func(context.Context) (string, error) { return loop.Tasks().String(), nil })
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, tasks)
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// Traced is f as a task of the execution trace (runtime/trace), below that of the
// ctx it is called with, and with a region of the same name around it. The region
// covers the awaits of f: a task of a loop stays on one goroutine, its coroutine.
func Traced[T any](name string, f func(ctx context.Context) (T, error)) func(ctx context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		ctx, task := trace.NewTask(ctx, name)
		defer task.End()
		defer trace.StartRegion(ctx, name).End()
		return f(ctx)
	}
}
