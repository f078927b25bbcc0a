package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHistogram_Quantiles(t *testing.T) {
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Microsecond, 0.99: 990 * time.Microsecond} {
		got := h.quantile(q)
		if off := (got - want).Abs(); off > want/64+time.Microsecond {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestHistogram_BucketsAreInOrder(t *testing.T) {
	last := -1
	for _, v := range []uint64{0, 1, 127, 128, 129, 130, 255, 256, 1 << 20, 1<<20 + 1<<14, 1 << 62, 1<<64 - 1} {
		i := bucket(v)
		if i < last || value(i) > v || value(i+1) <= v && v != 1<<64-1 {
			t.Errorf("%d is in bucket %d, of %d to %d, after bucket %d", v, i, value(i), value(i+1), last)
		}
		last = i
	}
	if n := len(histogram{}.buckets); last >= n {
		t.Errorf("the last bucket is %d of %d", last, n)
	}
}

func TestMeter_ReadsItself(t *testing.T) {
	m := newMeter(os.Getpid(), cores{0})
	defer m.close()
	if _, _, err := m.read(); err != nil {
		t.Fatal(err)
	}
	const least = 20 * time.Millisecond
	for began := ownTime(); ownTime()-began < least; {
	}
	used, user, err := m.read()
	if err != nil || used < least || user > used {
		t.Errorf("used %v, %v in user mode, %v; want at least %v", used, user, err, least)
	}
}

func TestParsePSS(t *testing.T) {
	const text = "55d-7ff ---p 00000000 00:00 0 [rollup]\nRss:  2048 kB\nPss:       1234 kB\nPss_Dirty: 1 kB\n"
	if got, err := parsePSS(strings.NewReader(text)); got != 1234<<10 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	if _, err := parsePSS(strings.NewReader("Rss: 1 kB\n")); err == nil {
		t.Error("no error without Pss")
	}
}

func TestParseRates(t *testing.T) {
	const text = `"test","rps","avg_latency_ms"
"PING_INLINE","74184.00","0.4"
"PING_MBULK","80000.50","0.3"
`
	got, err := parseRates(text)
	if want := []float64{74184, 80000.5}; !slices.Equal(got, want) || err != nil {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "Could not connect\n", "\"test\",\"rps\"\n", "\"test\",\"rps\"\n\"A\",\"x\"\n"} {
		if _, err := parseRates(bad); err == nil {
			t.Errorf("no error of %q", bad)
		}
	}
}

func TestServer_EndsBeforeItListens(t *testing.T) {
	path, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	err = run([]string{"echo", "-peer", "x", "-client", "0", "--", path})
	if err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("got %v, want that the server has ended", err)
	}
}

func TestWithFreePort(t *testing.T) {
	command := []string{"server", "-addr", "127.0.0.1:{port}"}
	got, port, err := withFreePort(command)
	if err != nil || port == 0 || strings.Contains(got[2], "{") || command[2] != "127.0.0.1:{port}" {
		t.Errorf("got %v, port %d, %v", got, port, err)
	}
}
