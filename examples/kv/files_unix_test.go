//go:build unix

package main

import (
	"syscall"
	"testing"
)

// filesAllowed is how many files this process may have open.
func filesAllowed(t *testing.T) int {
	t.Helper()
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	return int(min(l.Cur, 1<<20))
}
