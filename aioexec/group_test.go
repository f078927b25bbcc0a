//go:build linux

package aioexec_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aioexec"
)

// In the place of init, as the first process of a container, the orphans of a group
// that is ended become children of this process, which reaps them.
func TestRun_CancelledReapsWhoHasBecomeAChild(t *testing.T) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) }()
	run(t, func(ctx context.Context) error {
		for range 5 {
			cancelled(t, ctx, sh("sleep 1000 & sleep 1000 & (trap 'exit' TERM; echo ready; while :; do sleep 0.01; done) & wait"))
		}
		c := sh("(trap '' TERM; echo ready; exec sleep 1000) & wait")
		c.Grace = 20 * time.Millisecond
		cancelled(t, ctx, c)
		return nil
	})
}

func TestStart_IsATaskOfTheTree(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c := aioexec.Command("sleep", "1000")
		if err := c.Start(ctx); err != nil {
			return err
		}
		l, err := asyncio.RunningLoop(ctx)
		if tree := fmt.Sprint(l.Tasks()); !strings.Contains(tree, "sleep") || !strings.Contains(tree, "to be readable") && !strings.Contains(tree, "Recv") {
			t.Errorf("the tree is\n%s", tree)
		}
		return err
	})
}
