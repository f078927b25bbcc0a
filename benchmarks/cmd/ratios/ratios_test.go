package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestWrite_Golden(t *testing.T) {
	for _, name := range []string{"ours", "peers"} {
		t.Run(name, func(t *testing.T) {
			in, err := os.Open(filepath.Join("testdata", name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			var got bytes.Buffer
			if err := write(&got, in); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got:\n%s\nwant:\n%s", &got, want)
			}
		})
	}
}

func TestRead_WithoutUnit(t *testing.T) {
	_, err := read(strings.NewReader("BenchmarkYield/peer=ours-2 100 50 ns/op\n"))
	if err == nil || !strings.Contains(err.Error(), "BenchmarkSwitch") {
		t.Errorf("got %v, want an error that names BenchmarkSwitch", err)
	}
}

func TestRatio_PairsTheRuns(t *testing.T) {
	a, b := key{"A", ""}, key{"B", ""}
	r := results{series: map[key][]sample{
		a: {{ns: 20}, {ns: 200}, {ns: 24}},
		b: {{ns: 10}, {ns: 100}, {ns: 11}},
	}}
	if got := r.ratio(a, b); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
}
