package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// These are bugs that clients written for asyncio had for years: what a task did
// at the moment at which it was cancelled was lost, or left to somebody else. Each
// test has the victim cancelled at every turn of its life, one run a turn, and in
// several schedules: nothing may depend on which of the ready tasks runs first.

// A slotPool lends connections. httpcore's (#785, #961, #1093) kept a list of
// connections and a list of requests, and assigned the one to the other: a
// connection made for a request that was cancelled before it came to use it was
// neither idle nor closed nor anybody's, and took its place until no place was
// left. Here a slot is held by a bracket in the task that needs it.
type slotPool struct {
	slots *asyncio.Semaphore
	idle  int
	open  int
	hop   func(ctx context.Context) error // one await at the network
}

func (p *slotPool) request(ctx context.Context) error {
	return p.slots.Do(ctx, func(ctx context.Context) (err error) {
		defer func() {
			if err != nil {
				p.open--
			} else {
				p.idle++
			}
		}()
		if p.idle > 0 {
			p.idle--
		} else {
			p.open++
			if err := p.hops(ctx, 2); err != nil { // connects
				return err
			}
		}
		return p.hops(ctx, 3)
	})
}

func (p *slotPool) hops(ctx context.Context, n int) error {
	for range n {
		if err := p.hop(ctx); err != nil {
			return err
		}
	}
	return nil
}

// check fails if the pool is not as good as new.
func (p *slotPool) check(ctx context.Context) error {
	if free := p.slots.Free(); free != 1 || p.open != p.idle {
		return fmt.Errorf("%d of 1 slot is free; %d connections are open and %d idle", free, p.open, p.idle)
	}
	return p.request(ctx)
}

func TestPool_CancelledRequestsLeakNoSlot(t *testing.T) {
	atEveryTurn(t, 5, func(ctx context.Context, v *victim) error {
		p := &slotPool{slots: asyncio.NewSemaphore(1), hop: asyncio.Yield}
		if err := v.cancel(ctx, p.request, p.request, p.request); err != nil {
			return err
		}
		return p.check(ctx)
	})
}

func TestPool_RequestsThatTimeOutLeakNoSlot(t *testing.T) {
	// A deadline between two hops, and one at the very moment at which a hop ends.
	const hop, step = 2 * time.Millisecond, time.Millisecond
	timedOut := 0
	for patience := step; patience < 20*hop; patience += step {
		err := newBench().Run(context.Background(), func(ctx context.Context) error {
			p := &slotPool{slots: asyncio.NewSemaphore(1)}
			p.hop = func(ctx context.Context) error { return asyncio.Sleep(ctx, hop) }
			hasty := func(ctx context.Context) (struct{}, error) {
				return struct{}{}, asyncio.Timeout(ctx, patience, p.request)
			}
			for _, r := range asyncio.Settle(ctx, hasty, hasty, hasty) {
				if errors.Is(r.Err, asyncio.ErrTimeout) {
					timedOut++
				} else if r.Err != nil {
					return r.Err
				}
			}
			return p.check(ctx)
		})
		if err != nil {
			t.Errorf("with a patience of %v: %v", patience, err)
		}
	}
	if timedOut < 20 {
		t.Errorf("%d requests timed out, too few to prove anything", timedOut)
	}
}

// A pipelined client sends requests over one connection, and reads the answers
// in their order. In redis-py (#2624, #2665) each caller read its own: one that
// was cancelled after it had sent left its answer in the connection, and from then
// on everybody got the answer to somebody else's request. Here one task reads, and
// knows of each answer whose it is, also if that one is gone.
type pipelined struct {
	requests, answers *asyncio.Queue[string]
	owed              *asyncio.Queue[*asyncio.Future[string]]
	sending           asyncio.Lock
}

func newPipelined(g *asyncio.TaskGroup) *pipelined {
	c := &pipelined{
		requests: asyncio.NewQueue[string](1), answers: asyncio.NewQueue[string](1),
		owed: asyncio.NewQueue[*asyncio.Future[string]](0),
	}
	g.Go(c.serve)
	g.Go(c.read)
	return c
}

func (c *pipelined) ask(ctx context.Context, request string) error {
	answer := asyncio.NewFuture[string](ctx)
	err := c.sending.Do(ctx, func(ctx context.Context) error {
		if err := c.requests.Put(ctx, request); err != nil {
			return err
		}
		return c.owed.TryPut(answer)
	})
	if err != nil {
		return err
	}
	text, err := answer.Await(ctx)
	if err == nil && text != "answer to "+request {
		return fmt.Errorf("%s got the %s", request, text)
	}
	return err
}

func (c *pipelined) read(ctx context.Context) error {
	for text, err := range c.answers.All(ctx) {
		if err != nil {
			return err
		}
		answer, err := c.owed.Get(ctx)
		if err != nil {
			return err
		}
		answer.SetResult(text)
	}
	return nil
}

func (c *pipelined) serve(ctx context.Context) error {
	for request, err := range c.requests.All(ctx) {
		if err != nil {
			return err
		}
		if c.requests.Len() == 0 { // what came together is answered together
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		if err := c.answers.Put(ctx, "answer to "+request); err != nil {
			return err
		}
	}
	return nil
}

func TestPipeline_AnswersReachTheirCaller(t *testing.T) {
	atEveryTurn(t, 3, func(ctx context.Context, v *victim) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			c := newPipelined(g)
			caller := func(n int) func(context.Context) error {
				return func(ctx context.Context) error { return c.ask(ctx, fmt.Sprint("request ", n)) }
			}
			if err := v.cancel(ctx, caller(0), caller(1), caller(2)); err != nil {
				return err
			}
			err := c.ask(ctx, "the next request")
			g.Cancel()
			return err
		})
	})
}

// A victim is one of three tasks, which is cancelled after a number of turns.
type victim struct {
	number, turns int
	late          bool // it was done by then
}

// atEveryTurn runs try for each victim and number of turns until the victim is
// too late, which it must not be before it had time for a number of awaits. No
// ctx from outside can be cancelled: so a wait for what was lost is a deadlock that
// the loop can prove, and fails instead of hanging.
func atEveryTurn(t *testing.T, awaits int, try func(ctx context.Context, v *victim) error) {
	for schedule := range 20 {
		for number := range 3 {
			v := &victim{number: number}
			for ; !v.late; v.turns++ {
				b := newBench()
				if schedule > 0 {
					b.Options.Chooser = dice{rand.New(rand.NewPCG(uint64(schedule), 0))}
				}
				err := b.Run(context.Background(), func(ctx context.Context) error { return try(ctx, v) })
				if err != nil || b.log.Text() != "" {
					t.Fatalf("schedule %d, task %d cancelled after %d turns: %v\n%s", schedule, number, v.turns, err, b.log.Text())
				}
			}
			if v.turns < awaits {
				t.Fatalf("schedule %d: task %d was done after %d turns, and should await %d times", schedule, number, v.turns, awaits)
			}
		}
	}
}

// cancel runs fs as tasks, one of which it cancels. The others must succeed.
func (v *victim) cancel(ctx context.Context, fs ...func(ctx context.Context) error) error {
	var tasks []*asyncio.Task[struct{}]
	for _, f := range fs {
		tasks = append(tasks, asyncio.Go(ctx, f))
	}
	for range v.turns {
		if err := asyncio.Yield(ctx); err != nil {
			return err
		}
	}
	v.late = !tasks[v.number].Cancel(nil)
	for i, task := range tasks {
		_, err := task.Await(ctx)
		if err != nil && (i != v.number || !errors.Is(err, context.Canceled)) {
			return fmt.Errorf("task %d: %w", i, err)
		}
	}
	return nil
}
