// Ratios reads the output of several runs of the benchmarks from stdin and
// prints how the medians compare with the targets: the work of this module in
// units of S, one switch of iter.Pull, and, if there are any results of them,
// beside the peers in other languages.
//
//	for i in 1 2 3 4 5 6; do go test -bench .; done | go run ./cmd/ratios
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if err := write(os.Stdout, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func write(w io.Writer, r io.Reader) error {
	res, err := read(r)
	if err != nil {
		return err
	}
	for _, note := range res.notes {
		fmt.Fprintf(w, "%s  \n", note) // two spaces: a line break in Markdown
	}
	fmt.Fprintf(w, "medians of %d runs, ± half of the range  \n\n", res.rounds())
	targets(res).Write(w)
	if res.hasPeers() {
		fmt.Fprintln(w)
		peers(res).Write(w)
	}
	return nil
}
