package main

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

func (c cores) set() (set unix.CPUSet) {
	for _, core := range c {
		set.Set(core)
	}
	return set
}

// pin confines this process to cores: each of its threads, and so every thread
// that they start.
func pin(c cores) error {
	set := c.set()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil && err != unix.ESRCH {
			return fmt.Errorf("cores %v: %w", c, err)
		}
	}
	return nil
}

// pinned runs f while the calling thread is confined to cores. A process that f
// starts stays there.
func pinned(c cores, f func() error) error {
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	set := c.set()
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("cores %v: %w", c, err)
	}
	defer unix.SchedSetaffinity(0, &before)
	return f()
}
