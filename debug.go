package asyncio

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// A DebugMode says whether a loop is in debug mode. In it the loop reports
// steps and callbacks that took too long, tasks that ignore their cancellation
// and functions that outlive their caller, remembers where everything was
// created, and labels its goroutines for pprof with asyncio.task, beside the
// asyncio.loop that they always have. It is up to three times slower.
type DebugMode uint8

const (
	DebugFromEnv DebugMode = iota // on if ASYNCIODEBUG is set, to anything but 0 or false
	DebugOn
	DebugOff
)

func (m DebugMode) on() bool {
	if m != DebugFromEnv {
		return m == DebugOn
	}
	v := os.Getenv("ASYNCIODEBUG")
	if b, err := strconv.ParseBool(v); err == nil {
		return b
	}
	return v != ""
}

// timeStep runs a step and reports it if it took too long.
func (e *engine) timeStep(r runnable) {
	start := uptime()
	r.step()
	took := time.Duration(uptime() - start)
	if limit := e.opts.SlowThreshold; limit > 0 && took >= limit {
		what := any(r)
		if t, ok := r.(*task); ok {
			what = t.face
		}
		e.log.Warn(fmt.Sprintf("asyncio: Executing %v took %.3f seconds", what, took.Seconds()))
	}
}

// reportSlowPoll reports how long the loop waited for something to do.
func (e *engine) reportSlowPoll(wait time.Duration, since int64) {
	took := time.Duration(e.now - since)
	if took < time.Second {
		return
	}
	if wait == time.Duration(forever) {
		e.log.Info(fmt.Sprintf("asyncio: poll took %.3f ms", took.Seconds()*1e3))
		return
	}
	e.log.Info(fmt.Sprintf("asyncio: poll %.3f ms took %.3f ms", wait.Seconds()*1e3, took.Seconds()*1e3))
}

// ignoredLimit is how many awaits of a cancelled task may fail before debug
// mode says that it ignores its cancellation.
const ignoredLimit = 100

func (t *task) countIgnored() {
	if t.debug == nil || t.scope.state.Load() == nil { // a generator's body; a scope within the task
		return
	}
	t.debug.ignored++
	if t.debug.ignored == ignoredLimit {
		t.scope.e.log.Warn(fmt.Sprintf("asyncio: %v keeps ignoring its cancellation: %d awaits have failed; "+
			"return when an await fails", t.face, ignoredLimit))
	}
}

// setLabels makes the pprof labels of the loop's coroutines. The watchdog finds
// the coroutine that blocks the loop by them.
func (e *engine) setLabels() {
	e.labels = pprof.WithLabels(context.Background(), pprof.Labels(loopLabel, strconv.FormatInt(e.number, 10)))
}

const (
	loopLabel = "asyncio.loop"
	taskLabel = "asyncio.task"
)

func (e *engine) taskLabels(t *task) context.Context {
	return pprof.WithLabels(e.labels, pprof.Labels(taskLabel, t.face.Name()))
}

// An origin is the return address of the call that created an object; zero if
// that was not recorded.
type origin uintptr

func (o origin) String() string {
	if o == 0 {
		return ""
	}
	return fileLine(uintptr(o))
}

// suffix is the origin as an object's String ends with it.
func (o origin) suffix() string {
	if o == 0 {
		return ""
	}
	return " created at " + o.String()
}

// A taskDebug is what debug mode remembers of a task.
type taskDebug struct {
	chain   []spawnPoint // where its spawner was spawned, its spawner's spawner, …
	ignored int          // awaits that failed because it is cancelled
}

// A spawnPoint is one link in the chain of spawners of a task.
type spawnPoint struct {
	pc uintptr
	by *string
}

// maxChain is how many spawners of a task are remembered.
const maxChain = 10

// spawnChain is where the running task was spawned, and its spawner, and so on.
func (e *engine) spawnChain() []spawnPoint {
	up := e.cur
	if up == nil || up.debug == nil {
		return nil
	}
	chain := []spawnPoint{{up.made, up.spawner}}
	return append(chain, up.debug.chain[:min(len(up.debug.chain), maxChain-1)]...)
}

// created says where t was spawned and by which task, and in debug mode the
// same of its spawners.
func (t *task) created() string {
	var b strings.Builder
	write := func(pc uintptr, by *string) {
		b.WriteString(fileLine(pc))
		if by != nil {
			b.WriteString(" by " + *by)
		}
	}
	write(t.made, t.spawner)
	if t.debug == nil {
		return b.String()
	}
	for _, p := range t.debug.chain {
		b.WriteString(", which was spawned at ")
		write(p.pc, p.by)
	}
	return b.String()
}

func (t *task) suffix() string {
	if !t.scope.e.debug {
		return ""
	}
	return origin(t.made).suffix()
}

// fileLine is the place of a return address: file:line, with the file's
// folder.
func fileLine(pc uintptr) string {
	if pc == 0 {
		return "?"
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return shortPath(frame.File, frame.Line)
}

func shortPath(file string, line int) string {
	dir, name := filepath.Split(file)
	return filepath.Join(filepath.Base(dir), name) + ":" + strconv.Itoa(line)
}

// funcName is the name of a function as Go prints it. It does what
// reflect.Value.Pointer does, but where the race detector does not look, for
// the watchdog; see unsynced.go.
//
//go:norace
func funcName(f any) string {
	type iface struct {
		_    unsafe.Pointer
		code *uintptr // a func value points to its code's address
	}
	fn := (*iface)(unsafe.Pointer(&f))
	if f == nil || reflect.TypeOf(f).Kind() != reflect.Func || fn.code == nil {
		return "?"
	}
	name := runtime.FuncForPC(*fn.code).Name()
	return name[strings.LastIndexByte(name, '/')+1:]
}

// packageDir is the folder of this package's files, as the compiler names it.
var packageDir = func() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}()

// packagePrefix begins the names of this package's functions.
var packagePrefix = func() string {
	pc, _, _, _ := runtime.Caller(0)
	name := runtime.FuncForPC(pc).Name()
	slash := strings.LastIndexByte(name, '/') + 1
	dot := strings.IndexByte(name[slash:], '.')
	return name[:slash+dot+1]
}()

// userFrame is the innermost function on the stack that is not of this package.
func userFrame() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !ours(f) {
			return fmt.Sprintf("%s (%s)", f.Function[strings.LastIndexByte(f.Function, '/')+1:], shortPath(f.File, f.Line))
		}
		if !more {
			return "?"
		}
	}
}

// brief is a value as it stands in an object's String: on one line and not long.
func brief(v any) string {
	if s, ok := v.(string); ok {
		return shorten(strconv.Quote(s))
	}
	return shorten(firstLine(fmt.Sprint(v)))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

const maxBrief = 80

func shorten(s string) string {
	if len(s) <= maxBrief {
		return s
	}
	return s[:maxBrief-len("…")] + "…"
}
