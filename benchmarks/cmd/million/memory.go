package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// A measurement is what n things take, in time and memory.
type measurement struct {
	what   string
	n      int
	before memory
	taken  memory
	start  time.Time
	create time.Duration
	end    time.Duration // zero: not measured
}

func begin(what string, n int) *measurement {
	return &measurement{what: what, n: n, before: memoryNow(), start: time.Now()}
}

// created is called when all have been started.
func (m *measurement) created() { m.create = time.Since(m.start) }

// weigh is called while all of them are there.
func (m *measurement) weigh() { m.taken = memoryNow() }

// write prints the result. bar is the most that one may have in use, or 0.
func (m *measurement) write(bar float64) {
	fmt.Printf(row, m.what, strconv.Itoa(m.n),
		m.bytes(m.before.used, m.taken.used), m.bytes(m.before.sys, m.taken.sys), m.bytes(m.before.rss, m.taken.rss),
		m.nanoseconds(m.create), m.nanoseconds(m.end), m.verdict(bar))
}

// bytes is how much one of them adds, if it was measured.
func (m *measurement) bytes(before, after float64) string {
	if after == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", (after-before)/float64(m.n))
}

func (m *measurement) nanoseconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", float64(d.Nanoseconds())/float64(m.n))
}

func (m *measurement) verdict(bar float64) string {
	switch used := (m.taken.used - m.before.used) / float64(m.n); {
	case bar == 0:
		return ""
	case used <= bar:
		return fmt.Sprintf("≤ %.0f: met", bar)
	default:
		return fmt.Sprintf("≤ %.0f: MISSED", bar)
	}
}

const row = "| %-23s | %8s | %10s | %6s | %6s | %9s | %6s | %-14s |\n"

func writeHead(w io.Writer) {
	fmt.Fprintf(w, row, "of one, in bytes and ns", "n", "B in use", "B Sys", "B RSS", "ns create", "ns end", "bar on in use")
	fmt.Fprintf(w, row, ":--", "--:", "--:", "--:", "--:", "--:", "--:", ":--")
}

// memory is what the process has, in bytes.
type memory struct {
	used float64 // heap and stacks in use
	sys  float64 // all that the Go runtime got from the system
	rss  float64 // what the system counts; 0 if it does not say
}

// memoryNow is what is left after a collection of garbage.
func memoryNow() memory {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return memory{used: float64(s.HeapInuse + s.StackInuse), sys: float64(s.Sys), rss: residentSet()}
}

// residentSet reads what Linux says of the process.
func residentSet() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(fields[0], 64)
	return kib * 1024
}
