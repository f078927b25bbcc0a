package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A lockModel is who has which lock and who waits for which, as it ought to be.
type lockModel struct {
	owner, wants []int // by lock and by task; -1 is none
	queues       [][]int
}

func newLockModel(locks, tasks int) *lockModel {
	return &lockModel{slices.Repeat([]int{-1}, locks), slices.Repeat([]int{-1}, tasks), make([][]int, locks)}
}

// closes reports whether a wait of t for l would close a circle.
func (m *lockModel) closes(t, l int) bool {
	for l != -1 && m.owner[l] != -1 {
		if m.owner[l] == t {
			return true
		}
		l = m.wants[m.owner[l]]
	}
	return false
}

func (m *lockModel) acquire(t, l int) {
	if m.owner[l] == -1 {
		m.owner[l] = t
		return
	}
	m.wants[t], m.queues[l] = l, append(m.queues[l], t)
}

func (m *lockModel) release(l int) {
	m.owner[l] = -1
	if q := m.queues[l]; len(q) > 0 {
		m.owner[l], m.wants[q[0]], m.queues[l] = q[0], -1, q[1:]
	}
}

// Tasks take locks in any order; whoever is told of a circle gives all up and
// begins anew. Each circle is found when it is closed, and no other is.
func TestWaitGraph_RandomLocksAgainstAModel(t *testing.T) {
	circles := 0
	for seed := range uint64(100) {
		b := newBench()
		b.Options.Chooser = seededChooser(seed)
		err := b.Run(context.Background(), func(ctx context.Context) error {
			r := rand.New(rand.NewPCG(seed, 2))
			n, size := 2+r.IntN(12), 2+r.IntN(8)
			m, locks := newLockModel(size, n), make([]asyncio.Lock, size)
			take := func(ctx context.Context, me, l int) error {
				closes := m.closes(me, l)
				if !closes {
					m.acquire(me, l)
				}
				err := locks[l].Acquire(ctx)
				if isCircle(err) != closes || err != nil && !closes {
					return fmt.Errorf("task %d wants lock %d: error is %v, closes a circle: %t", me, l, err, closes)
				}
				if closes {
					circles++
				}
				return err
			}
			return asyncio.Group(ctx, func(_ context.Context, g *asyncio.TaskGroup) error {
				for me := range n {
					order := r.Perm(size)[:1+r.IntN(size)]
					g.Go(func(ctx context.Context) error {
						for {
							var held []int
							var err error
							for _, l := range order {
								if err = take(ctx, me, l); err != nil {
									break
								}
								held = append(held, l)
								_ = asyncio.Yield(ctx)
							}
							for _, l := range held {
								m.release(l)
								locks[l].Release()
							}
							if !isCircle(err) {
								return err
							}
							_ = asyncio.Sleep(ctx, time.Duration(me+1)*time.Second)
						}
					})
				}
				return nil
			})
		})
		if err != nil || b.log.Text() != "" {
			t.Fatalf("seed %d: Run = %v, logged:\n%s", seed, err, b.log.Text())
		}
	}
	if circles < 100 {
		t.Errorf("only %d circles were closed; the programs are too tame", circles)
	}
}

// A tangle is tasks that take locks in any order, open groups while they hold
// them, and wait for each other as they like. Who is told of a circle goes on
// without what it wanted.
type tangle struct {
	tasks   []*asyncio.Task[struct{}]
	locks   []asyncio.Lock
	circles int
	wrong   error // the first thing that must not be
}

func (p *tangle) body(ctx context.Context, r *rand.Rand, depth int) error {
	for range 4 {
		if err := p.note(p.step(ctx, r, depth)); err != nil {
			return err
		}
	}
	return nil
}

func (p *tangle) step(ctx context.Context, r *rand.Rand, depth int) error {
	again := func(ctx context.Context) error { return p.body(ctx, r, depth-1) }
	if depth == 0 {
		again = asyncio.Yield
	}
	pick := func() *asyncio.Task[struct{}] {
		for {
			if task := p.tasks[r.IntN(len(p.tasks))]; asyncio.AnyTask(task) != asyncio.CurrentTask(ctx) {
				return task
			}
		}
	}
	switch r.IntN(7) {
	case 0, 1, 2:
		return p.locks[r.IntN(len(p.locks))].Do(ctx, again)
	case 3:
		_, err := pick().Await(ctx)
		return err
	case 4:
		_, _, err := asyncio.Wait(ctx, asyncio.AllDone, pick(), pick())
		return err
	case 5:
		err := treeGroup(ctx, again, again)
		_ = asyncio.Yield(ctx)
		return err
	default:
		return errors.Join(asyncio.Yield(ctx), asyncio.Yield(ctx))
	}
}

// note takes a deadlock for what it is, and looks at its circle.
func (p *tangle) note(err error) error {
	var de *asyncio.DeadlockError
	if !errors.As(err, &de) {
		return err
	}
	p.circles++
	for i, w := range de.Circle {
		next := de.Circle[(i+1)%len(de.Circle)].Task
		if w.State != asyncio.Waiting || !slices.Contains(w.HeldBy, next) {
			p.wrong = errors.Join(p.wrong, fmt.Errorf("%v, but next in the circle is %s", w, next.Name()))
		}
	}
	return nil
}

// standing is the first circle among tasks that wait, as text.
func (p *tangle) standing(tree *asyncio.TaskTree) error {
	next := map[asyncio.AnyTask][]asyncio.AnyTask{}
	var walk func(n *asyncio.TaskTree)
	walk = func(n *asyncio.TaskTree) {
		if n.State == asyncio.Waiting {
			next[n.Task] = n.HeldBy
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(tree)
	for start := range next {
		seen, todo := map[asyncio.AnyTask]bool{}, slices.Clone(next[start])
		for len(todo) > 0 {
			task := todo[0]
			if todo = todo[1:]; task == start {
				return fmt.Errorf("%s stands in a circle of\n%v", start.Name(), tree)
			}
			if !seen[task] {
				seen[task] = true
				todo = append(todo, next[task]...)
			}
		}
	}
	return nil
}

// Whatever they do, no circle stands at the end of a turn, and all tasks end.
func TestWaitGraph_NoCircleEverStands(t *testing.T) {
	circles := 0
	for seed := range uint64(15) {
		p := &tangle{locks: make([]asyncio.Lock, 4)}
		b := newBench()
		b.Options.Chooser = seededChooser(seed)
		err := b.Run(context.Background(), func(ctx context.Context) error {
			l, _ := asyncio.RunningLoop(ctx)
			sub, cancel := asyncio.WithCancel(ctx)
			defer cancel()
			for i := range 8 {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				p.tasks = append(p.tasks, asyncio.Go(sub, func(ctx context.Context) error { return p.body(ctx, r, 3) }))
			}
			asyncio.Go(ctx, func(ctx context.Context) error { // which keeps the loop busy, too
				for turn := 0; p.wrong == nil && asyncio.Yield(ctx) == nil; turn++ {
					if p.wrong = p.standing(l.Tasks()); p.wrong == nil && turn == 50_000 {
						p.wrong = fmt.Errorf("they stand still:\n%v", l.Tasks())
					}
				}
				cancel()
				return nil
			})
			return allOf(context.WithoutCancel(ctx), p.tasks...)
		})
		if err = errors.Join(p.wrong, err); err != nil || b.log.Text() != "" {
			t.Fatalf("seed %d: %v, logged:\n%s", seed, err, b.log.Text())
		}
		circles += p.circles
	}
	if circles < 1000 {
		t.Errorf("only %d circles were closed; the programs are too tame", circles)
	}
}
