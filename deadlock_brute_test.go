package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// A graphWorld has tasks make random waits, one at a time, and knows by a search of
// its own over everybody who waits which of them close a circle.
type graphWorld struct {
	r       *rand.Rand
	log     *asynciotest.Log
	all     []*graphTask
	locks   [3]asyncio.Lock
	conds   [3]asyncio.Cond
	history []string
	failed  int
	stuck   bool // in a circle of joins, which nobody can break
}

type graphTask struct {
	name  string
	task  *asyncio.Task[struct{}]
	moves *asyncio.Queue[func(ctx context.Context) (last bool)]
	busy  bool
	op    *graphWait // what it waits for, or nil
	err   error      // of its last wait
	holds map[int]bool
	depth int // of groups around it
	ended bool
}

type graphWait struct {
	kind    string // lock, relock, cond, await, all, first or join
	lock    int
	targets []*graphTask
	cancel  func()
}

// joins reports whether the wait cannot fail.
func (o *graphWait) joins() bool { return o.kind == "join" || o.kind == "relock" }

func (w *graphWorld) note(format string, args ...any) {
	w.history = append(w.history, fmt.Sprintf(format, args...))
}

// holders are those who must all do their part before the wait can end.
func (w *graphWorld) holders(o *graphWait) (ts []*graphTask) {
	switch o.kind {
	case "lock", "relock":
		for _, u := range w.all {
			if u.holds[o.lock] && !u.ended {
				ts = append(ts, u)
			}
		}
	case "await", "all", "join":
		for _, u := range o.targets {
			if !u.ended {
				ts = append(ts, u)
			}
		}
	}
	return ts
}

// reaches reports whether the way from o, over what waits gives, leads to end.
func (w *graphWorld) reaches(o *graphWait, waits map[*graphTask]*graphWait, end *graphTask) bool {
	seen := map[*graphTask]bool{}
	var visit func(o *graphWait)
	visit = func(o *graphWait) {
		for _, u := range w.holders(o) {
			if !seen[u] {
				seen[u] = true
				if next := waits[u]; next != nil {
					visit(next)
				}
			}
		}
	}
	visit(o)
	return seen[end]
}

func (w *graphWorld) waits() map[*graphTask]*graphWait {
	m := map[*graphTask]*graphWait{}
	for _, u := range w.all {
		if u.op != nil {
			m[u] = u.op
		}
	}
	return m
}

func (w *graphWorld) start(begin func(f func(ctx context.Context) error) *asyncio.Task[struct{}]) *graphTask {
	u := &graphTask{name: fmt.Sprint("t", len(w.all)), holds: map[int]bool{},
		moves: asyncio.NewQueue[func(ctx context.Context) bool](0)}
	w.all = append(w.all, u)
	u.task = begin(func(ctx context.Context) error { u.obey(ctx); u.ended = true; return nil })
	return u
}

func (u *graphTask) obey(ctx context.Context) {
	for move, err := range u.moves.All(ctx) {
		if err != nil || move(ctx) {
			return
		}
	}
}

// wait has u make a wait.
func (w *graphWorld) wait(u *graphTask, o *graphWait, f func(ctx context.Context) error) *graphWait {
	u.busy = true
	_ = u.moves.TryPut(func(ctx context.Context) bool {
		sub, cancel := asyncio.WithCancel(ctx)
		defer cancel()
		o.cancel, u.op = cancel, o
		u.err = f(sub)
		u.op, u.busy = nil, false
		return false
	})
	return o
}

func graphTurns(ctx context.Context) {
	for range 40 {
		_ = asyncio.Yield(ctx)
	}
}

func (w *graphWorld) pick(f func(u *graphTask) bool) *graphTask {
	var fit []*graphTask
	for _, u := range w.all {
		if !u.ended && f(u) {
			fit = append(fit, u)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[w.r.Intn(len(fit))]
}

// others are up to n tasks that are not u.
func (w *graphWorld) others(u *graphTask, n int) (ts []*graphTask, ws []asyncio.Waiter) {
	for range n {
		if v := w.all[w.r.Intn(len(w.all))]; v != u {
			ts, ws = append(ts, v), append(ws, v.task)
		}
	}
	return ts, ws
}

// step makes a random move, and returns what is wrong after it.
func (w *graphWorld) step(ctx context.Context) string {
	u := w.pick(func(u *graphTask) bool { return !u.busy })
	if u == nil || w.r.Intn(12) == 0 {
		return w.cancelOne(ctx)
	}
	before := w.waits()
	o := w.move(u)
	graphTurns(ctx)
	if o == nil {
		o = u.op // it has left its group, and joins the tasks of that
	}
	return w.check(u, o, before)
}

func (w *graphWorld) cancelOne(ctx context.Context) string {
	u := w.pick(func(u *graphTask) bool { return u.op != nil && !u.op.joins() })
	if u == nil {
		return ""
	}
	o, before := u.op, w.waits()
	w.note("%s is cancelled", u.name)
	o.cancel()
	if o.kind == "cond" {
		o.kind = "relock"
	}
	graphTurns(ctx)
	if u.op != nil && o.kind != "relock" {
		return u.name + " waits although it was cancelled"
	}
	delete(before, u)
	return w.check(u, o, before)
}

// move is what u does next. It returns what u waits for then, if it may have to.
func (w *graphWorld) move(u *graphTask) *graphWait {
	i := w.r.Intn(len(w.locks))
	switch w.r.Intn(12) {
	case 0, 1, 2:
		w.note("%s acquires %d", u.name, i)
		return w.wait(u, &graphWait{kind: "lock", lock: i}, func(ctx context.Context) error {
			err := w.locks[i].Acquire(ctx)
			if err == nil {
				u.holds[i] = true
			}
			return err
		})
	case 3, 4:
		ts, _ := w.others(u, 1)
		if len(ts) == 1 {
			w.note("%s awaits %s", u.name, ts[0].name)
			return w.wait(u, &graphWait{kind: "await", targets: ts}, func(ctx context.Context) error {
				_, err := ts[0].task.Await(ctx)
				return err
			})
		}
	case 5, 6:
		return w.waitForSome(u)
	case 7:
		if u.depth < 3 && len(w.all) < 14 {
			w.openGroup(u)
		}
	case 8, 9:
		if u.depth > 0 || len(u.holds) == 0 && w.r.Intn(3) == 0 {
			w.note("%s leaves", u.name)
			_ = u.moves.TryPut(func(context.Context) bool { return true })
		}
	default:
		if u.holds[i] {
			return w.useLock(u, i)
		}
	}
	return nil
}

func (w *graphWorld) waitForSome(u *graphTask) *graphWait {
	ts, ws := w.others(u, 3)
	if len(ts) == 0 {
		return nil
	}
	o, mode := &graphWait{kind: "all", targets: ts}, asyncio.AllDone
	if w.r.Intn(3) == 0 {
		o.kind, mode = "first", asyncio.WaitMode(1+w.r.Intn(2))
	}
	w.note("%s waits for %s of %d, from %s on", u.name, o.kind, len(ts), ts[0].name)
	return w.wait(u, o, func(ctx context.Context) error {
		_, _, err := asyncio.Wait(ctx, mode, ws...)
		return err
	})
}

// useLock has u do something with lock i, which it holds.
func (w *graphWorld) useLock(u *graphTask, i int) *graphWait {
	switch w.r.Intn(3) {
	case 0:
		w.note("%s releases %d", u.name, i)
		_ = u.moves.TryPut(func(context.Context) bool { delete(u.holds, i); w.locks[i].Release(); return false })
	case 1:
		w.note("%s waits for condition %d", u.name, i)
		return w.wait(u, &graphWait{kind: "cond", lock: i}, func(ctx context.Context) error {
			delete(u.holds, i)
			err := w.conds[i].Wait(ctx)
			u.holds[i] = true
			return err
		})
	case 2:
		w.note("%s notifies %d", u.name, i)
		_ = u.moves.TryPut(func(context.Context) bool {
			w.conds[i].NotifyAll()
			for _, v := range w.all {
				if v.op != nil && v.op.kind == "cond" && v.op.lock == i {
					v.op.kind = "relock"
				}
			}
			return false
		})
	}
	return nil
}

func (w *graphWorld) openGroup(u *graphTask) {
	n := w.r.Intn(3)
	w.note("%s opens a group of %d", u.name, n)
	_ = u.moves.TryPut(func(ctx context.Context) bool {
		u.depth++
		_ = asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			join := &graphWait{kind: "join"}
			for range n {
				join.targets = append(join.targets, w.start(g.Go))
			}
			u.obey(ctx)
			u.op, u.busy = join, true
			return nil
		})
		u.op, u.busy = nil, false
		u.depth--
		return false
	})
}

// check compares who has failed, after u began to wait for o, with who had to.
func (w *graphWorld) check(u *graphTask, o *graphWait, before map[*graphTask]*graphWait) string {
	if o != nil {
		before[u] = o
	}
	for _, v := range w.all {
		var dead *asyncio.DeadlockError
		if !errors.As(v.err, &dead) {
			continue
		}
		v.err = nil
		w.failed++
		w.note("%s fails: %v", v.name, dead)
		if was := before[v]; was == nil || !w.reaches(was, before, v) {
			return v.name + " has failed and was in no circle"
		}
	}
	now := w.waits()
	for v, o := range now {
		if w.reaches(o, now, v) {
			w.stuck = w.log.Count("a circle of waits that cannot fail") > 0
			if !w.stuck {
				return v.name + " is in a circle that nobody has noticed"
			}
		}
	}
	return ""
}

// A wait fails with a DeadlockError exactly if it closes a circle of those who hold
// what the next one needs; of a join, which cannot fail, one of the others does.
func TestDeadlock_IsFoundExactlyWhereThereIsOne(t *testing.T) {
	noLeaks(t)
	failed := 0
	for seed := range int64(100) {
		b := newBench()
		b.Options.ShutdownTimeout = time.Second
		w := &graphWorld{r: rand.New(rand.NewSource(seed)), log: b.log}
		for i := range w.locks {
			w.conds[i].L = &w.locks[i]
		}
		wrong := ""
		_ = b.Run(t.Context(), func(ctx context.Context) error {
			for range 2 + w.r.Intn(5) {
				w.start(func(f func(ctx context.Context) error) *asyncio.Task[struct{}] { return asyncio.Go(ctx, f) })
			}
			for n := 0; n < 150 && wrong == "" && !w.stuck; n++ {
				wrong = w.step(ctx)
			}
			return nil
		})
		if wrong != "" {
			t.Fatalf("seed %d: %s, after:\n%s", seed, wrong, strings.Join(w.history, "\n"))
		}
		failed += w.failed
	}
	if failed < 1000 {
		t.Errorf("only %d waits have failed; the test tests little", failed)
	}
}
