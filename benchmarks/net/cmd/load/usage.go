package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A meter reads what a process uses of its processors.
type meter struct {
	pid     int
	sampler *sampler // nil if the system does not permit it
	last    struct{ prof, user, used time.Duration }
}

// newMeter returns a meter of a process that runs on cores.
func newMeter(pid int, c cores) *meter {
	s, err := newSampler(pid, c)
	if err != nil {
		fmt.Println("# user CPU is from the kernel's ticks, and coarse:", err)
	}
	return &meter{pid: pid, sampler: s}
}

func (m *meter) close() {
	if m.sampler != nil {
		m.sampler.close()
	}
}

// The clocks of a process, of the kernel's posix-timers.h.
const (
	profClock  = 0 // user mode and kernel, by ticks
	userClock  = 1 // user mode, by ticks
	schedClock = 2 // both, exact
)

func clock(pid int, which int) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|which), &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// read returns what the process has used since the last call, and how much of it
// in user mode.
func (m *meter) read() (used, user time.Duration, err error) {
	before := m.last
	for _, c := range []struct {
		which int
		value *time.Duration
	}{{profClock, &m.last.prof}, {userClock, &m.last.user}, {schedClock, &m.last.used}} {
		if *c.value, err = clock(m.pid, c.which); err != nil {
			return 0, 0, err
		}
	}
	used = m.last.used - before.used
	share := float64(m.last.user-before.user) / max(float64(m.last.prof-before.prof), 1)
	if m.sampler != nil {
		share = m.sampler.userShare()
	}
	return used, time.Duration(float64(used) * share), nil
}

// memory returns the bytes of a process that are in RAM, shared pages divided by
// how many share them.
func memory(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return parsePSS(f)
}

func parsePSS(r io.Reader) (int64, error) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		var kb int64
		if n, _ := fmt.Sscanf(lines.Text(), "Pss: %d kB", &kb); n == 1 {
			return kb << 10, nil
		}
	}
	return 0, fmt.Errorf("there is no line with Pss")
}
