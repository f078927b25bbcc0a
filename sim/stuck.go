package sim

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// stuckAfter is how long a run may take on the machine's clock before standard error is
// told of it. A run that does not end cannot be ended: what blocks outside of an await
// blocks everything, and the test's timeout comes later.
const stuckAfter = 20 * time.Second

// watch begins to look whether a run of f ends. It allocates only the first time.
func (s *schedule) watch(f Func) {
	if s.alarm == nil {
		s.alarm = time.AfterFunc(stuckAfter, func() { os.Stderr.WriteString(stuckReport(f)) })
		return
	}
	s.alarm.Reset(stuckAfter)
}

// stuckReport says where the tasks of all runs are that run, and do not wait.
func stuckReport(f Func) string {
	var all strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&all, 2)
	const loop = "github.com/asyncio-go/asyncio.(*"
	var b strings.Builder
	fmt.Fprintf(&b, "sim: a run of %s has taken %v of the machine's time. Perhaps it is long; but if a task blocks outside "+
		"of an await, or calculates for ever, it will not end. What runs on simulated loops now:\n",
		runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name(), stuckAfter)
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		head, _, _ := strings.Cut(stack, "\n")
		onLoop := strings.Contains(stack, loop+"coro).run") || strings.Contains(stack, loop+"engine).turns")
		if onLoop && !strings.Contains(head, "[coroutine") {
			b.WriteString("\n" + strings.TrimSpace(stack) + "\n")
		}
	}
	return b.String()
}
