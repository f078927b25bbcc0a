package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// few is how many deviations a schedule should have at most.
const few = 3

// print writes the table of a set, and its totals.
func print(w io.Writer, title string, p plan, rows []row) {
	fmt.Fprintf(w, "## %s\n\n", title)
	if len(rows) == 0 {
		fmt.Fprint(w, "None.\n\n")
		return
	}
	head := []string{"bug", "found by", "schedules", "deviations", "repaired"}
	if p.each {
		for _, s := range strategies {
			head = append(head, string(s))
		}
	}
	line(w, head...)
	line(w, strings.Split(strings.Repeat("---,", len(head)-1)+"---", ",")...)
	for _, r := range rows {
		line(w, r.cells()...)
	}
	fmt.Fprintln(w)
	for _, t := range totals(p, rows) {
		fmt.Fprintf(w, "- %s\n", t)
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		if r.fixed != nil {
			fmt.Fprintf(w, "The repaired version of %s fails:\n\n```\n%v\n```\n\n", r.bug.Name, r.fixed)
		}
	}
}

func line(w io.Writer, cells ...string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

func (r *row) cells() []string {
	name := r.bug.Name
	if strings.HasPrefix(r.bug.From, "https://") {
		name = fmt.Sprintf("[%s](%s)", name, r.bug.From)
	}
	by, deviations := string(r.found.strategy), fmt.Sprint(r.found.deviations)
	if r.found.missed == len(r.found.schedules) {
		by, deviations = "**not found**", "–"
	}
	repaired := "ok"
	switch {
	case r.fixed != nil:
		repaired = "**fails**"
	case r.survived == 0:
		repaired = "–"
	}
	cells := []string{name, by, r.found.String(), deviations, repaired}
	for i := range r.each {
		cells = append(cells, r.each[i].String())
	}
	return cells
}

// String is the median, and how often the bug was missed.
func (f *finds) String() string {
	switch {
	case f.missed == len(f.schedules):
		return "–"
	case f.missed > 0:
		return fmt.Sprintf("%d, missed %d of %d times", f.median(), f.missed, len(f.schedules))
	}
	return fmt.Sprint(f.median())
}

// totals are the sentences below a table.
func totals(p plan, rows []row) (all []string) {
	found, short, survived, seconds := 0, 0, 0, 0.0
	for _, r := range rows {
		if r.found.missed == 0 {
			found++
		}
		if r.found.missed == 0 && r.found.deviations <= few {
			short++
		}
		survived += r.survived
		seconds += r.took.Seconds()
	}
	all = append(all,
		fmt.Sprintf("found %d of %d", found, len(rows)),
		fmt.Sprintf("schedules until found, geometric mean: %s", mean(rows, func(r *row) *finds { return &r.found })),
		fmt.Sprintf("at most %d deviations: %d of %d (%d %%)", few, short, len(rows), 100*short/len(rows)))
	if survived > 0 {
		all = append(all, fmt.Sprintf("repaired versions: %d schedules, %.0f a second", survived, float64(survived)/seconds))
	}
	if p.each {
		for i, s := range strategies {
			all = append(all, fmt.Sprintf("%s alone: %s", s, mean(rows, func(r *row) *finds { return &r.each[i] })))
		}
	}
	return all
}

// mean is the geometric mean of all campaigns, and how many found nothing: those count
// as all the schedules that they tried.
func mean(rows []row, of func(r *row) *finds) string {
	logs, n, missed, none := 0.0, 0, 0, 0
	for i := range rows {
		f := of(&rows[i])
		for _, schedules := range f.schedules {
			logs += math.Log(float64(schedules))
			n++
		}
		if missed += f.missed; f.missed == len(f.schedules) {
			none++
		}
	}
	text := fmt.Sprintf("%.1f", math.Exp(logs/float64(n)))
	if missed > 0 {
		text += fmt.Sprintf(", %d of %d campaigns found nothing, %d bugs were never found", missed, n, none)
	}
	return text
}
