// Package report is what the programs that print results have in common.
package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A Table is rows of cells, of which the first are the head. It is written as
// Markdown that can be read as it is.
type Table [][]string

// Write writes the table.
func (t Table) Write(w io.Writer) {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range t {
		for i, cell := range row {
			fmt.Fprintf(w, "| %*s ", align(i, widths[i]), cell)
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			writeRule(w, widths)
		}
	}
}

// align makes the first column flush left, the others flush right.
func align(column, width int) int {
	if column == 0 {
		return -width
	}
	return width
}

func writeRule(w io.Writer, widths []int) {
	for i, width := range widths {
		if i == 0 {
			fmt.Fprintf(w, "|:%s", strings.Repeat("-", width+1))
		} else {
			fmt.Fprintf(w, "|%s:", strings.Repeat("-", width+1))
		}
	}
	fmt.Fprintln(w, "|")
}
