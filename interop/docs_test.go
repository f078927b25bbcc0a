package interop_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every Go sample of docs/interop.md is code that the tests compile or run, up to
// white space.
func TestDocs_SamplesAreTheRecipes(t *testing.T) {
	var sources strings.Builder
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		sources.WriteString(squeezed(string(text)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := sources.String()
	doc, err := os.ReadFile("../docs/interop.md")
	if err != nil {
		t.Fatal(err)
	}
	samples := strings.Split(string(doc), "\n```")
	if len(samples) < 20 || len(samples)%2 == 0 {
		t.Fatalf("docs/interop.md has %d fences", len(samples)-1)
	}
	for i := 1; i < len(samples); i += 2 {
		language, code, _ := strings.Cut(samples[i], "\n")
		if language != "go" {
			t.Errorf("a sample is marked %q, want go", language)
		}
		if !strings.Contains(all, squeezed(code)) {
			t.Errorf("this is in no recipe:\n%s", code)
		}
	}
}

// Every recipe has a section.
func TestDocs_EveryRecipeIsExplained(t *testing.T) {
	doc, err := os.ReadFile("../docs/interop.md")
	if err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range folders {
		if d.IsDir() && d.Name() != "internal" && !strings.Contains(string(doc), "(../interop/"+d.Name()+")") {
			t.Errorf("docs/interop.md does not link to %s", d.Name())
		}
	}
}

// squeezed is text with each run of white space as one space.
func squeezed(text string) string { return strings.Join(strings.Fields(text), " ") + " " }
