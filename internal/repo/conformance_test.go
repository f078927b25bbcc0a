package repo_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// publicNames are asyncio.__all__ of Python 3.14 and 3.15.
const publicNames = `
	ALL_COMPLETED AbstractEventLoop AbstractServer Barrier BaseEventLoop BaseProtocol BaseTransport BoundedSemaphore
	BrokenBarrierError BufferedProtocol CancelledError Condition DatagramProtocol DatagramTransport Event EventLoop
	FIRST_COMPLETED FIRST_EXCEPTION FrameCallGraphEntry Future FutureCallGraph Handle IncompleteReadError
	InvalidStateError LifoQueue LimitOverrunError Lock PriorityQueue Protocol Queue QueueEmpty QueueFull QueueShutDown
	ReadTransport Runner SelectorEventLoop Semaphore SendfileNotAvailableError Server StreamReader
	StreamReaderProtocol StreamWriter SubprocessProtocol SubprocessTransport Task TaskGroup Timeout TimeoutError
	TimerHandle Transport WriteTransport _enter_task _get_running_loop _leave_task _register_task _set_running_loop
	_unregister_task all_tasks as_completed capture_call_graph create_eager_task_factory create_subprocess_exec
	create_subprocess_shell create_task current_task eager_task_factory ensure_future format_call_graph
	future_add_to_awaited_by future_discard_from_awaited_by gather get_event_loop get_event_loop_policy
	get_running_loop iscoroutine iscoroutinefunction isfuture new_event_loop open_connection open_unix_connection
	print_call_graph run run_coroutine_threadsafe set_event_loop set_event_loop_policy shield sleep start_server
	start_unix_server timeout timeout_at to_thread wait wait_for wrap_future`

// loopMethods are those of asyncio.AbstractEventLoop.
const loopMethods = `
	add_reader add_signal_handler add_writer call_at call_exception_handler call_later call_soon call_soon_threadsafe
	close connect_accepted_socket connect_read_pipe connect_write_pipe create_connection create_datagram_endpoint
	create_future create_server create_task create_unix_connection create_unix_server default_exception_handler
	get_debug get_exception_handler get_task_factory getaddrinfo getnameinfo is_closed is_running remove_reader
	remove_signal_handler remove_writer run_forever run_in_executor run_until_complete sendfile set_debug
	set_default_executor set_exception_handler set_task_factory shutdown_asyncgens shutdown_default_executor
	sock_accept sock_connect sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall sock_sendfile
	sock_sendto start_tls stop subprocess_exec subprocess_shell time`

// A tableRow is a line of a table of docs/conformance.md.
type tableRow struct {
	text  string
	cells []string
}

// conformance returns the text of docs/conformance.md, and the rows of the
// tables of its section of the given name, less their heads.
func conformance(t *testing.T, section string) (doc string, rows []tableRow) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc = string(text)
	_, part, found := strings.Cut(doc, "\n## "+section+"\n")
	if !found {
		t.Fatalf("docs/conformance.md has no section %q", section)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	inTable := false
	for line := range strings.SplitSeq(part, "\n") {
		if !strings.HasPrefix(line, "|") {
			inTable = false
			continue
		}
		if inTable && !strings.HasPrefix(line, "|--") {
			rows = append(rows, tableRow{line, strings.Split(strings.Trim(line, "|"), "|")})
		}
		inTable = true
	}
	if len(rows) == 0 {
		t.Fatalf("section %q has no tables", section)
	}
	return doc, rows
}

var inBackticks = regexp.MustCompile("`([^`]+)`")

// quoted are the texts in backticks.
func quoted(text string) (all []string) {
	for _, m := range inBackticks.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestConformance_NamesAreComplete(t *testing.T) {
	_, rows := conformance(t, "Names")
	times := map[string]int{}
	for _, r := range rows {
		for _, name := range quoted(r.cells[0]) {
			times[name]++
		}
	}
	names := strings.Fields(publicNames)
	for _, m := range strings.Fields(loopMethods) {
		names = append(names, "loop."+m)
	}
	if want := 95 + 54; len(names) != want {
		t.Errorf("%d names are asked for, want %d", len(names), want)
	}
	for _, name := range names {
		if times[name] != 1 {
			t.Errorf("%s has %d rows, want one", name, times[name])
		}
	}
}

var goName = regexp.MustCompile(`^(?:aio[a-z]+\.)?[A-Z]\w*(?:\.[A-Z]\w*)?$`)

// What is not planned exists.
func TestConformance_CounterpartsExist(t *testing.T) {
	exported := exportedNames(t)
	_, rows := conformance(t, "Names")
	for _, r := range rows {
		if len(r.cells) != 3 || strings.TrimSpace(r.cells[1]) == "" {
			t.Errorf("want three cells, with a counterpart or a dash: %s", r.text)
			continue
		}
		if strings.Contains(r.cells[2], "*planned*") {
			continue
		}
		if strings.TrimSpace(r.cells[1]) == "–" && strings.TrimSpace(r.cells[2]) == "" {
			t.Errorf("no counterpart and no reason: %s", r.text)
		}
		for _, name := range quoted(r.cells[1]) {
			if !goName.MatchString(name) || !exported[name] {
				t.Errorf("%s does not exist: %s", name, r.text)
			}
		}
	}
}

// exportedNames are those of the root package: Type, Func, Type.Method and
// Type.Field; and of its siblings, as aionet.Type.
func exportedNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for dir, prefix := range map[string]string{".": "", "aionet": "aionet.", "aioexec": "aioexec."} {
		for name := range exportedOf(t, dir) {
			names[prefix+name] = true
		}
	}
	return names
}

func exportedOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	_, parsed := files(t, dir)
	for _, f := range parsed {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[receiver(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					addSpec(names, spec)
				}
			}
		}
	}
	return names
}

// receiver is the type that fn is a method of, and a dot.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	x := fn.Recv.List[0].Type
	if p, ok := x.(*ast.StarExpr); ok {
		x = p.X
	}
	if g, ok := x.(*ast.IndexExpr); ok {
		x = g.X
	}
	name := x.(*ast.Ident).Name
	return strings.ToUpper(name[:1]) + name[1:] + "." // Task embeds task, and has its methods
}

func addSpec(names map[string]bool, spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, n := range s.Names {
			names[n.Name] = true
		}
	case *ast.TypeSpec:
		names[s.Name.Name] = true
		if st, ok := s.Type.(*ast.StructType); ok {
			for _, field := range st.Fields.List {
				for _, n := range field.Names {
					names[s.Name.Name+"."+n.Name] = true
				}
			}
		}
	}
}

var aTest = regexp.MustCompile(`^(Test|Fuzz|Example)[A-Z_]\w*(/.*)?$`)

func TestConformance_TestsExist(t *testing.T) {
	doc, _ := conformance(t, "Behaviour")
	tests := testFunctions(t)
	for _, name := range quoted(doc) {
		if fn, _, _ := strings.Cut(name, "/"); aTest.MatchString(name) && !tests[fn] {
			t.Errorf("there is no %s", fn)
			tests[fn] = true // said once
		}
	}
}

// testFunctions are the tests of all packages of this module.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return fs.SkipDir // a module of its own
			}
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				tests[fn.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

func TestConformance_EveryBehaviourIsShown(t *testing.T) {
	_, rows := conformance(t, "Behaviour")
	for _, r := range rows {
		shown := r.cells[len(r.cells)-1]
		ok := strings.Contains(shown, "[decision ") || strings.Contains(shown, "[design ")
		for _, name := range quoted(shown) {
			ok = ok || aTest.MatchString(name)
		}
		if len(r.cells) < 3 || !ok {
			t.Errorf("no test and no decision: %s", r.text)
		}
	}
}

var (
	linkUse = regexp.MustCompile(`\[((?:decision|design) \d+)\]`)
	linkDef = regexp.MustCompile(`(?m)^\[((?:decision|design) \d+)\]: (\S+?)(#\S+)?$`)
)

func TestConformance_LinksLeadSomewhere(t *testing.T) {
	doc, _ := conformance(t, "Behaviour")
	defined := map[string]bool{}
	for _, m := range linkDef.FindAllStringSubmatch(doc, -1) {
		defined[m[1]] = true
		text, err := os.ReadFile(filepath.Join(root, "docs", m[2]))
		if err != nil {
			t.Error(err)
		}
		if number, ok := strings.CutPrefix(m[1], "decision "); ok && !strings.HasPrefix(string(text), "# "+number+". ") {
			t.Errorf("[%s] is %s", m[1], m[2])
		}
		if m[3] != "" && !strings.Contains(anchors(string(text)), "\n"+m[3]+"\n") {
			t.Errorf("%s has no section %s", m[2], m[3])
		}
	}
	used := map[string]bool{}
	for _, m := range linkUse.FindAllStringSubmatch(linkDef.ReplaceAllString(doc, ""), -1) {
		used[m[1]] = true
		if !defined[m[1]] {
			t.Errorf("[%s] leads nowhere", m[1])
		}
	}
	for name := range defined {
		if !used[name] {
			t.Errorf("[%s] is not used", name)
		}
	}
}

var notInAnchors = regexp.MustCompile(`[^\w\- ]`)

// anchors are the headings of a Markdown document as links name them, a line each.
func anchors(doc string) string {
	all := "\n"
	for line := range strings.SplitSeq(doc, "\n") {
		if heading := strings.TrimLeft(line, "#"); heading != line {
			heading = notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			all += "#" + strings.ReplaceAll(heading, " ", "-") + "\n"
		}
	}
	return all
}
