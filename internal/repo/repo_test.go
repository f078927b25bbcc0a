// Package repo_test checks the rules that keep the repository what it is.
package repo_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var update = flag.Bool("update", false, "rewrite api.txt, and what the sessions of texts show")

// files parses the Go files of a folder that are not tests.
func files(t *testing.T, dir string) (*token.FileSet, map[string]*ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	parsed := map[string]*ast.File{}
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed[filepath.Base(name)] = f
	}
	if len(parsed) == 0 {
		t.Fatalf("no Go files in %s", dir)
	}
	return fset, parsed
}

// packages are the root and its siblings.
var packages = []string{".", "aionet", "aioexec", "sim"}

// only fails the test for every node of the root package that match names and
// that stands outside of the allowed files.
func only(t *testing.T, rule string, allowed []string, match func(ast.Node) bool) {
	t.Helper()
	onlyIn(t, ".", rule, allowed, match)
}

// onlyIn is only for another package.
func onlyIn(t *testing.T, dir, rule string, allowed []string, match func(ast.Node) bool) {
	t.Helper()
	fset, parsed := files(t, dir)
	found := map[string]bool{}
	for name, f := range parsed {
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil || !match(n) {
				return true
			}
			found[name] = true
			if !slices.Contains(allowed, name) {
				t.Errorf("%s: %s", fset.Position(n.Pos()), rule)
			}
			return true
		})
	}
	for _, name := range allowed {
		if !found[name] {
			t.Errorf("%s is allowed what it does not do: %s", name, rule)
		}
	}
}

// call reports whether n is a call of the given function, "package.Name" or
// ".method.name" for the last two selectors.
func call(n ast.Node, name string) bool {
	c, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch x := sel.X.(type) {
	case *ast.Ident:
		return x.Name+"."+sel.Sel.Name == name
	case *ast.SelectorExpr:
		return "."+x.Sel.Name+"."+sel.Sel.Name == name
	}
	return false
}

func TestRule_OnlyCoroCreatesCoroutines(t *testing.T) {
	only(t, "only coro.go may create coroutines", []string{"coro.go"}, func(n ast.Node) bool {
		return call(n, "iter.Pull") || call(n, "iter.Pull2")
	})
}

func TestRule_OnlyParkGivesTheLoopUp(t *testing.T) {
	only(t, "only park.go may give the loop up", []string{"park.go"}, func(n ast.Node) bool {
		return call(n, ".coro.yield")
	})
}

func TestRule_OnlyClockReadsTheClock(t *testing.T) {
	readsClock := func(n ast.Node) bool {
		return call(n, "time.Now") || call(n, "time.Since") || call(n, "time.Until")
	}
	only(t, "only clock.go may read the clock", []string{"clock.go"}, readsClock)
	onlyIn(t, "aionet", "ask the loop for the time", nil, readsClock)
	onlyIn(t, "aioexec", "ask the loop for the time", nil, readsClock)
	onlyIn(t, "sim", "only campaigns read the machine's clock", []string{"explore.go", "exhaustive.go", "shrink.go", "everywhere.go"}, readsClock)
}

func TestRule_GoroutinesStartInTheListedFiles(t *testing.T) {
	allowed := []string{"inject.go", "blocking.go", "signal.go", "shutdown.go", "unwind.go"}
	starts := func(n ast.Node) bool {
		_, ok := n.(*ast.GoStmt)
		return ok
	}
	only(t, "goroutines start only in "+strings.Join(allowed, ", "), allowed, starts)
	onlyIn(t, "aionet", "use Loop.Outside or Blocking", nil, starts)
	onlyIn(t, "aioexec", "use Loop.Outside or Blocking", []string{"supervise.go"}, starts)
	onlyIn(t, "sim", "a simulated loop is alone", nil, starts)
	onlyIn(t, "sim", "only campaigns have workers", []string{"explore.go"}, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		return ok && sel.Sel.Name == "WaitGroup"
	})
}

func TestRule_NoMapIsRangedOver(t *testing.T) {
	// Without types, the rule is that the kernel has no map at all.
	only(t, "the order of a map could be seen; use a slice or a list", nil, func(n ast.Node) bool {
		_, ok := n.(*ast.MapType)
		return ok
	})
}

func TestRule_TheCoreNeedsOnlyTheStandardLibrary(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(mod), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 1 && strings.Contains(fields[0], ".") && fields[0] != "golang.org/x/sys" {
			t.Errorf("go.mod requires %s", fields[0])
		}
	}
	_, parsed := files(t, ".")
	for name, f := range parsed {
		for _, imp := range f.Imports {
			path := strings.Trim(imp.Path.Value, `"`)
			if strings.Contains(strings.Split(path, "/")[0], ".") &&
				!strings.HasPrefix(path, "github.com/asyncio-go/asyncio/internal/") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

func TestRule_FilesAreShort(t *testing.T) {
	const limit = 400
	for _, pattern := range []string{"*.go", "aionet/*.go", "aioexec/*.go", "sim/*.go", "sim/bugs/*.go", "sim/bugs/*/*.go", "internal/*/*.go"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "\n"); n > limit {
				t.Errorf("%s has %d lines; split it by idea", strings.TrimPrefix(name, root+"/"), n)
			}
		}
	}
}

// TestRule_EveryExportedFunctionHasAnExample looks for Example functions.
func TestRule_EveryExportedFunctionHasAnExample(t *testing.T) {
	for _, dir := range packages {
		examples := examplesIn(t, dir)
		_, parsed := files(t, dir)
		for name, f := range parsed {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if ok && fn.Recv == nil && fn.Name.IsExported() && !examples[fn.Name.Name] {
					t.Errorf("%s/%s: %s has no example", dir, name, fn.Name.Name)
				}
			}
		}
	}
}

// examplesIn are the names of what has an example in a package.
func examplesIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, dir, "example*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]bool{}
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				what, _, _ := strings.Cut(strings.TrimPrefix(fn.Name.Name, "Example"), "_")
				examples[what] = true
			}
		}
	}
	return examples
}

var funcBody = regexp.MustCompile(`(?m)^    .*\n`)

// TestAPI compares the exported API of each package with its api.txt: every change of it
// is a line of a diff that somebody has looked at.
func TestAPI(t *testing.T) {
	for _, dir := range packages {
		cmd := exec.Command("go", "doc", "-all", ".")
		cmd.Dir = filepath.Join(root, dir)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		got := exported(string(out))
		golden := filepath.Join(root, dir, "api.txt")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("the exported API of %s is not what api.txt says; look at the difference and run make api\n%s",
				dir, diff(string(want), got))
		}
	}
}

// exported is the output of go doc from the first declaration on, less the
// documentation.
func exported(doc string) string {
	for _, title := range []string{"CONSTANTS", "VARIABLES", "FUNCTIONS", "TYPES"} { // in this order
		if i := strings.Index(doc, "\n"+title+"\n"); i >= 0 {
			doc = doc[i:]
			break
		}
	}
	doc = funcBody.ReplaceAllString(doc, "")
	var lines []string
	for line := range strings.SplitSeq(doc, "\n") {
		code, _, _ := strings.Cut(line, "//")
		if code = strings.TrimRight(code, " \t"); code != "" {
			lines = append(lines, code)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func diff(want, got string) string {
	var b strings.Builder
	in := func(lines []string, line string) bool { return slices.Contains(lines, line) }
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, line := range w {
		if !in(g, line) {
			b.WriteString("- " + line + "\n")
		}
	}
	for _, line := range g {
		if !in(w, line) {
			b.WriteString("+ " + line + "\n")
		}
	}
	return b.String()
}
