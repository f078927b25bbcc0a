// Package shapes is the classic shapes of concurrency bugs: mostly those of SCTBench
// (Thomson, Donaldson and Betts, "Concurrency Testing Using Schedule Bounding: an
// Empirical Study", PPoPP 2014), by whose names they go, and a dozen small ones of
// awaits. Where a thread could be preempted between two accesses to memory, a task here
// yields. In plain FIFO order nearly all of them are right.
package shapes

import (
	"context"
	"fmt"
	"slices"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

// sctbench is where the programs are described that the shapes are named after.
const sctbench = "https://github.com/mc-imperial/sctbench"

// All are the classic shapes.
func All() []bugs.Bug {
	return slices.Concat(orders(), stages(), locks(), philosophers(), buffers(), conditions(), counters(), objects())
}

// pair is a bug whose kernel is told whether to be the repaired version.
func pair(name, what string, kernel func(fixed bool) sim.Func) bugs.Bug {
	return bugs.Bug{Name: name, From: sctbench, What: what, Buggy: kernel(false), Fixed: kernel(true)}
}

// classic is pair for what has no one source.
func classic(name, what string, kernel func(fixed bool) sim.Func) bugs.Bug {
	b := pair(name, what, kernel)
	b.From = "a classic"
	return b
}

// sized is pair for a number of tasks.
func sized(name, what string, n int, kernel func(n int, fixed bool) sim.Func) bugs.Bug {
	return pair(fmt.Sprintf("%s %d", name, n), what, func(fixed bool) sim.Func { return kernel(n, fixed) })
}

// A task is what a kernel runs, and its name in reports.
type task struct {
	name string
	run  func(ctx context.Context) error
}

// together runs the tasks in a group.
func together(ctx context.Context, tasks ...task) error {
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		for _, t := range tasks {
			asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: t.name, Group: g}, asyncio.Void(t.run))
		}
		return nil
	})
}

// steps runs each with a yield in between.
func steps(ctx context.Context, all ...func()) error {
	for i, step := range all {
		if i > 0 {
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		step()
	}
	return nil
}

// yields gives up so many turns.
func yields(ctx context.Context, n int) error {
	for range n {
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
	}
	return nil
}
