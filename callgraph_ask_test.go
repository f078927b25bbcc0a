package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// Whoever is asked for its stack tells it and waits on as if nothing had been.

// An askProgram is tasks that do this and that at random, and write down what
// happens. Some of the time each asks all tasks for their call graphs.
type askProgram struct {
	s      *story
	loop   *asyncio.Loop
	asks   *rand.Rand // nil if nobody is asked
	asked  int
	lock   asyncio.Lock
	queue  *asyncio.Queue[int]
	tasks  []asyncio.AnyTask
	bodies []asyncio.AnyTask // of generators
}

// ask asks everybody, from wherever it is called.
func (p *askProgram) ask() {
	if p.asks == nil || p.asks.IntN(3) > 0 {
		return
	}
	for task := range p.loop.Tasks().All() {
		p.asked += len(task.CallGraph().Stack)
	}
	for _, body := range p.bodies {
		p.asked += len(body.CallGraph().String())
	}
}

func (p *askProgram) body(ctx context.Context, r *rand.Rand, depth int) (int, error) {
	me := asyncio.CurrentTask(ctx)
	p.tasks = append(p.tasks, me)
	defer p.ask()
	for i := range 5 {
		p.ask()
		what := r.IntN(12)
		err := p.step(ctx, what, rand.New(rand.NewPCG(r.Uint64(), 0)), depth)
		p.s.add("%s %d:%d %v %v", me.Name(), i, what, err, p.loop.Now().Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
		if err != nil && r.IntN(2) == 0 {
			return i, err
		}
	}
	return 5, nil
}

func (p *askProgram) step(ctx context.Context, what int, r *rand.Rand, depth int) error {
	nap := func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Duration(r.IntN(4))*time.Second) }
	child := func(ctx context.Context) (int, error) {
		if depth == 0 {
			return 0, nap(ctx)
		}
		return p.body(ctx, r, depth-1)
	}
	switch what {
	case 0:
		return asyncio.Yield(ctx)
	case 1:
		return nap(ctx)
	case 2:
		return p.lock.Do(ctx, nap)
	case 3:
		return asyncio.Timeout(ctx, 2*time.Second, func(ctx context.Context) error { return p.queue.Put(ctx, depth) })
	case 4:
		return asyncio.Timeout(ctx, 2*time.Second, func(ctx context.Context) error { _, err := p.queue.Get(ctx); return err })
	case 5:
		_, err := asyncio.Gather(ctx, child, func(ctx context.Context) (int, error) { return 0, nap(ctx) })
		return err
	case 6:
		return p.generate(ctx, nap)
	case 7:
		_, err := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, child).Await(ctx)
		return err
	case 8:
		_, err := asyncio.Shield(ctx, asyncio.Void(nap))
		return err
	case 9:
		p.tasks[r.IntN(len(p.tasks))].Cancel(errSplash)
		return nil
	case 10:
		asyncio.NoAwait(ctx, p.ask)
		return nil
	default:
		task := asyncio.Spawn(ctx, child)
		task.AddDoneCallback(func(task *asyncio.Task[int]) { p.ask(); _, _ = task.Result() })
		_, _, err := asyncio.Wait(ctx, asyncio.FirstDone, task)
		return err
	}
}

func (p *askProgram) generate(ctx context.Context, nap func(ctx context.Context) error) error {
	for v, err := range asyncio.Generate(ctx, func(ctx context.Context, yield func(int) bool) error {
		p.bodies = append(p.bodies, asyncio.CurrentTask(ctx))
		for i := range 3 {
			p.ask()
			if err := nap(ctx); err != nil || ctx.Err() != nil || !yield(i) {
				return err
			}
		}
		return nil
	}).All(ctx) {
		p.ask()
		if err != nil || v == 2 {
			return err
		}
	}
	return nil
}

// askRun runs a program and returns what happened, and what was told.
func askRun(t *testing.T, seed uint64, c asyncio.Chooser, asks *rand.Rand) (happened string, asked int) {
	t.Helper()
	noLeaks(t)
	b := newBench()
	b.Options.Chooser = c
	p := &askProgram{s: &story{}, asks: asks, queue: asyncio.NewQueue[int](2)}
	err := b.Run(t.Context(), func(ctx context.Context) error {
		p.loop, _ = asyncio.RunningLoop(ctx)
		r := rand.New(rand.NewPCG(seed, 0))
		for range 4 {
			task := asyncio.Spawn(ctx, func(ctx context.Context) (int, error) { return p.body(ctx, r, 2) })
			task.AddDoneCallback(func(task *asyncio.Task[int]) { _, err := task.Result(); p.s.add("%v", err) })
		}
		return asyncio.Sleep(context.WithoutCancel(ctx), 30*time.Second)
	})
	p.s.add("%v, %d logged", err, len(b.log.Lines()))
	return strings.Join(p.s.events, "\n"), p.asked
}

func TestCallGraph_AskingChangesNothing(t *testing.T) {
	told := 0
	for seed := range uint64(30) {
		for _, chooser := range []func() asyncio.Chooser{
			func() asyncio.Chooser { return nil },
			func() asyncio.Chooser { return seededChooser(seed) },
		} {
			want, _ := askRun(t, seed, chooser(), nil)
			for again := range uint64(2) {
				got, asked := askRun(t, seed, chooser(), rand.New(rand.NewPCG(seed, again)))
				told += asked
				if got != want {
					t.Fatalf("seed %d: when tasks are asked, what happens is\n%s\nand otherwise\n%s", seed, got, want)
				}
			}
		}
	}
	if told < 50_000 {
		t.Errorf("only %d frames were told; the programs are too tame", told)
	}
}

// Also those that are unwound by force, from their deferred functions and of them.
func TestCallGraph_AskingDuringAForcedUnwind(t *testing.T) {
	unwind := func(ask bool) (told int, happened string, err error) {
		noLeaks(t)
		b := newBench()
		b.Options.ShutdownTimeout = time.Second
		s := &storyOfUnwind{}
		err = b.Run(t.Context(), func(ctx context.Context) error {
			s.loop, _ = asyncio.RunningLoop(ctx)
			for i := range 6 {
				startAs(ctx, fmt.Sprint("t", i), func(ctx context.Context) error {
					ctx = context.WithoutCancel(ctx)
					defer func() {
						for range i {
							if ask {
								told += s.askAll()
							}
							s.add("%d %v", i, asyncio.Sleep(ctx, time.Millisecond))
						}
					}()
					return graphRoot(ctx)
				})
			}
			return asyncio.Yield(ctx)
		})
		for _, line := range b.log.Lines() {
			s.add("%s", line)
		}
		return told, strings.Join(s.events, "\n"), err
	}
	_, want, wantErr := unwind(false)
	told, got, err := unwind(true)
	if got != want {
		t.Errorf("when tasks are asked, what happens is\n%s\nand otherwise\n%s", got, want)
	}
	var se, wantSE *asyncio.ShutdownError
	if !errors.As(err, &se) || !errors.As(wantErr, &wantSE) || len(se.Left) != 6 || err.Error() != wantErr.Error() {
		t.Errorf("Run = %v, otherwise %v", err, wantErr)
	}
	if told < 50 {
		t.Errorf("only %d frames were told", told)
	}
}

type storyOfUnwind struct {
	story
	loop *asyncio.Loop
}

func (s *storyOfUnwind) askAll() (frames int) {
	for task := range s.loop.Tasks().All() {
		frames += len(task.CallGraph().Stack)
	}
	return frames
}

// On a loop that is locked to its thread every switch must be made on it.
func TestCallGraph_OnALockedThread(t *testing.T) {
	done := make(chan string)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		text := "?"
		err := newBench().Run(context.Background(), func(ctx context.Context) error {
			task := asyncio.Go(ctx, graphRoot)
			turns(t, ctx, 1)
			text = stackOf(task.CallGraph())
			return asyncio.Yield(ctx)
		})
		done <- fmt.Sprint(text, " ", err)
	}()
	if got := <-done; got != "treeNap graphLeaf graphMid graphRoot <nil>" {
		t.Errorf("the stack is %s", got)
	}
}

// From the exception handler, of the task that it hears of and of all others.
func TestCallGraph_FromTheExceptionHandler(t *testing.T) {
	noLeaks(t)
	s := &story{}
	b := quietBench()
	var all []asyncio.AnyTask
	b.Options.ExceptionHandler = func(l *asyncio.Loop, ec asyncio.ExceptionContext) {
		s.add("%s: %s", ec.Message, stackOf(ec.Task.CallGraph()))
		for _, task := range all {
			g := task.CallGraph()
			s.add("%s %v %s", task.Name(), g.State, stackOf(g))
		}
	}
	err := b.Run(t.Context(), func(ctx context.Context) error {
		all = append(all, asyncio.CurrentTask(ctx), asyncio.Go(ctx, graphRoot))
		asyncio.Spawn(ctx, taskPanic)
		turns(t, ctx, 2)
		return nil
	})
	s.want(t, "Task panicked: ", "Task-1 ready turns func2", "Task-1-1 waiting treeNap graphLeaf graphMid graphRoot")
	if err != nil {
		t.Error(err)
	}
}

// A stack may be deep: the innermost frames are told.
func TestCallGraph_OfADeepStack(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		var descend func(ctx context.Context, n int) error
		descend = func(ctx context.Context, n int) error {
			if n == 0 {
				return graphRoot(ctx)
			}
			return errors.Join(descend(ctx, n-1)) // no tail call
		}
		task := asyncio.Go(ctx, func(ctx context.Context) error { return descend(ctx, 1000) })
		turns(t, ctx, 2)
		g := task.CallGraph()
		if got := stackOf(g); !strings.HasPrefix(got, "treeNap graphLeaf graphMid graphRoot 1 1 1 ") || len(g.Stack) < 50 || len(g.Stack) > 100 {
			t.Errorf("%d frames: %s", len(g.Stack), got)
		}
		return nil
	})
}

// The bodies of this package's iterators are compiled into whoever ranges over them.
func TestCallGraph_IteratorsAreNoFramesOfTheProgram(t *testing.T) {
	onQuietLoop(t, func(ctx context.Context, _ *asyncio.Loop) error {
		nap, q := asyncio.Spawn(ctx, taskNap), asyncio.NewQueue[int](0)
		gen := asyncio.Generate(ctx, func(ctx context.Context, _ func(int) bool) error { return treeNap(ctx) })
		for name, f := range map[string]func(ctx context.Context) error{
			"AsCompleted": func(ctx context.Context) error {
				for _, err := range asyncio.AsCompleted(ctx, nap) {
					return err
				}
				return nil
			},
			"Queue": func(ctx context.Context) error {
				for _, err := range q.All(ctx) {
					return err
				}
				return nil
			},
			"Generator": func(ctx context.Context) error {
				for _, err := range gen.All(ctx) {
					return err
				}
				return nil
			},
		} {
			task := asyncio.Go(ctx, f)
			turns(t, ctx, 2)
			g := task.CallGraph()
			for _, f := range g.Stack {
				if !strings.HasSuffix(f.File, "_test.go") {
					t.Errorf("%s: the graph is\n%v", name, g)
				}
			}
			if len(g.Stack) == 0 {
				t.Errorf("%s: there is no stack", name)
			}
			task.Cancel(nil)
			_, _ = task.Await(ctx)
		}
		return nil
	})
}
