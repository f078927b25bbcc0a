package goker

import (
	"context"
	"strconv"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
	"github.com/asyncio-go/asyncio/sim/bugs"
)

// A kernel is a program that was written for goroutines, as it was or with its fix.
//
// The operations of a kernel return no errors, as those of sync and of channels do not:
// one that fails, because the run is at its end, ends the task by a panic that stays
// within it. The run ends when all tasks have: where the program left goroutines behind,
// it waits for ever.
type kernel func(ctx context.Context, g *routines, fixed bool)

// bug is the bug that k has.
func bug(name, from, what string, k kernel) bugs.Bug {
	with := func(fixed bool) sim.Func {
		return program(func(ctx context.Context, g *routines) { k(ctx, g, fixed) })
	}
	return bugs.Bug{Name: name, From: from, What: what, Buggy: with(false), Fixed: with(true)}
}

// program makes a program for the simulator of one that was written for goroutines.
func program(k func(ctx context.Context, g *routines)) sim.Func {
	return func(ctx context.Context, _ *sim.World) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			return ended(func() { k(ctx, &routines{g, map[string]int{}}) })
		})
	}
}

// routines are the tasks of a kernel.
type routines struct {
	group *asyncio.TaskGroup
	named map[string]int // how many have the name
}

// Go starts f as a task, as the go statement does, in the scope of ctx. The name is for
// reports, where the second of a name has its number.
func (g *routines) Go(ctx context.Context, name string, f func(ctx context.Context)) {
	if g.named[name]++; g.named[name] > 1 {
		name += "-" + strconv.Itoa(g.named[name])
	}
	s := scopeOf(ctx)
	asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: name, Group: g.group}, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, ended(func() { f(s.in(ctx)) })
	})
}

// A failure is what an operation panics with.
type failure struct{ err error }

// must ends the task if an await has failed.
func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// ended runs f and returns the error of the operation that has ended it.
func ended(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r.err
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// step lets others run before an operation. Those that only give something back, such as
// Unlock, do without: what others do before them they can do after them.
func step(ctx context.Context) { must(asyncio.Yield(ctx)) }

// steps are n times step, where a program does something else before an operation.
func steps(ctx context.Context, n int) {
	for range n {
		step(ctx)
	}
}

// sleep is time.Sleep.
func sleep(ctx context.Context, d time.Duration) { must(asyncio.Sleep(ctx, d)) }

// after is time.After.
func after(ctx context.Context, d time.Duration) *channel[time.Duration] {
	c := makeChan[time.Duration](1)
	loopOf(ctx).CallLater(d, func() { c.trySend(d) })
	return c
}

func loopOf(ctx context.Context) *asyncio.Loop {
	l, err := asyncio.RunningLoop(ctx)
	must(err)
	return l
}
