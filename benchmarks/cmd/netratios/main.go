// Netratios reads the output of net/rounds.sh from stdin and prints how the
// medians compare with the targets for sockets, and then all of them, peer beside
// peer.
//
//	net/rounds.sh | go run ./cmd/netratios
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if err := write(os.Stdout, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "netratios:", err)
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
	fmt.Fprintf(w, "medians of %d rounds  \n", res.rounds())
	if t := targets(res); len(t) > 1 {
		fmt.Fprintln(w, "\n### Targets")
		fmt.Fprintln(w)
		t.Write(w)
	}
	for _, d := range details {
		if t := d.table(res); len(t) > 1 {
			fmt.Fprintf(w, "\n### %s\n\n", d.title)
			t.Write(w)
		}
	}
	return nil
}
