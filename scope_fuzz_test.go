package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
)

// A scopeProgram is a random program of tasks, scopes and cancellations. Its
// bytes are its decisions, taken in the order in which they come up.
type scopeProgram struct {
	t       *testing.T
	bytes   []byte
	tasks   []*asyncio.Task[struct{}]
	cancels []context.CancelFunc
}

func (p *scopeProgram) next(n int) int {
	if len(p.bytes) == 0 || n == 0 {
		return 0
	}
	b := p.bytes[0]
	p.bytes = p.bytes[1:]
	return int(b) % n
}

// check holds an await under ctx to what it promises.
func (p *scopeProgram) check(ctx context.Context, await func() error) error {
	before := ctx.Err()
	err := await()
	var ce *asyncio.CancelledError
	if before != nil && !errors.As(err, &ce) {
		p.t.Errorf("an await under a cancelled context returned %v", err)
	}
	if err != nil && ctx.Err() == nil {
		p.t.Errorf("an await failed with %v, but its context is not cancelled", err)
	}
	return err
}

// below runs a piece of program under c, which obeys ctx, and then ends c.
func (p *scopeProgram) below(ctx, c context.Context, self int, end context.CancelFunc) error {
	p.cancels = append(p.cancels, end)
	defer func() {
		if ctx.Err() != nil && asyncio.Yield(c) == nil {
			p.t.Errorf("%v is cancelled, but an await below it does not fail", ctx)
		}
		end()
		if c.Err() == nil {
			p.t.Error("a scope that was ended is not cancelled")
		}
	}()
	return p.body(c, self)
}

func (p *scopeProgram) spawn(ctx context.Context) {
	self := len(p.tasks)
	p.tasks = append(p.tasks, asyncio.Go(ctx, func(ctx context.Context) error {
		_ = p.body(ctx, self)
		return p.check(ctx, func() error { return asyncio.Yield(ctx) }) // its own cancellation, or nil
	}))
}

// body is a piece of program in task number self.
func (p *scopeProgram) body(ctx context.Context, self int) (err error) {
	for len(p.bytes) > 0 && (err == nil || p.next(2) == 0) {
		switch p.next(14) {
		case 0:
			return err
		case 1, 2:
			p.spawn(ctx)
		case 3:
			p.spawn(context.WithoutCancel(ctx))
		case 4:
			c, cancel := asyncio.WithCancel(ctx)
			err = p.below(ctx, c, self, cancel)
		case 5:
			c, cancel := asyncio.WithTimeout(ctx, time.Duration(p.next(5))*time.Second)
			err = p.below(ctx, c, self, cancel)
		case 6:
			c, cancel := context.WithCancel(context.WithValue(ctx, contextKey(1), 1))
			err = p.below(ctx, c, self, cancel)
		case 7:
			d := time.Duration(p.next(5)) * time.Second
			err = asyncio.Timeout(ctx, d, func(ctx context.Context) error { return p.body(ctx, self) })
		case 8:
			_, err = asyncio.Shield(ctx, asyncio.Void(func(ctx context.Context) error { return p.body(ctx, self) }))
		case 9:
			d := time.Duration(p.next(5)) * time.Second
			err = p.check(ctx, func() error { return asyncio.Sleep(ctx, d) })
		case 10:
			err = p.check(ctx, func() error { return asyncio.Yield(ctx) })
		case 11: // only younger tasks, so that there is no circle
			if younger := p.tasks[self+1:]; len(younger) > 0 {
				task := younger[p.next(len(younger))]
				_, err = task.Await(ctx)
			}
		case 12:
			if len(p.cancels) > 0 {
				p.cancels[p.next(len(p.cancels))]()
			}
		case 13:
			if len(p.tasks) > 0 {
				p.tasks[p.next(len(p.tasks))].Cancel(errBoom)
			}
		}
	}
	return err
}

// Awaits obey their scopes, everything ends, nothing stands still, nothing is
// reported and nothing is left.
func FuzzScopes(f *testing.F) {
	f.Add([]byte{48, 48, 88, 40, 48})
	f.Add([]byte{7, 2, 1, 9, 4, 10, 0, 0, 8, 9, 3, 0, 11, 0})
	f.Add([]byte{4, 1, 6, 1, 9, 4, 12, 0, 10, 0, 0, 11, 0, 0, 9, 4})
	f.Add([]byte{3, 4, 8, 7, 1, 6, 12, 1, 9, 1, 12, 0, 10, 1, 5, 3, 9, 2, 11, 0, 2, 2, 13, 1, 9, 4})
	f.Fuzz(func(t *testing.T, program []byte) {
		noLeaks(t)
		p := &scopeProgram{t: t, bytes: program[:min(len(program), 200)]}
		b := newBench()
		b.Options.ShutdownTimeout = time.Hour // the sleeps of a shielded task may add up to more than 10 s
		err := b.Run(context.Background(), func(ctx context.Context) error {
			_ = p.body(ctx, -1)
			return asyncio.Yield(ctx)
		})
		if err != nil || b.log.Text() != "" {
			t.Errorf("Run: %v; logged: %s", err, b.log.Text())
		}
		for _, task := range p.tasks {
			if s := task.State(); s != asyncio.Succeeded && s != asyncio.Cancelled {
				_, err := task.Result()
				t.Errorf("%v ended as %v: %v", task, s, err)
			}
		}
	})
}

// What a finished task started stays within reach of every context above it.
func TestScope_OfAFinishedTaskHandsUpWhatItStarted(t *testing.T) {
	run(t, func(main context.Context) error {
		for name, derive := range derivations {
			if name == "value" || name == "custom" {
				continue // nothing to cancel
			}
			ctx, cancel := derive(context.WithValue(main, contextKey(1), "kept"))
			var child *asyncio.Task[struct{}]
			var kept context.Context
			parent := asyncio.Go(ctx, func(ctx context.Context) error {
				kept = ctx
				asyncio.Go(ctx, func(ctx context.Context) error { // finished as well
					child = asyncio.Go(ctx, func(ctx context.Context) error {
						if ctx.Value(contextKey(1)) != "kept" {
							t.Errorf("%s: the value is lost", name)
						}
						return sleepLong(ctx)
					})
					return nil
				})
				return nil
			})
			turns(t, main, 3)
			if parent.Cancel(nil) || child.Done() || kept.Err() != nil {
				t.Errorf("%s: a finished task can be cancelled, or takes its child along", name)
			}
			captured := asyncio.Go(main, func(context.Context) error { return sleepLong(kept) })
			turns(t, main, 1)
			cancel(errBoom)
			for what, task := range map[string]*asyncio.Task[struct{}]{"the child": child, "an await under its context": captured} {
				_, err := task.Await(main)
				wantCancelled(t, name+": "+what, err, nil)
			}
		}
		return nil
	})
}

// A cancelled context stays cancelled when its task is done.
func TestScope_OfACancelledTaskThatHasEnded(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var kept context.Context
		task := asyncio.Go(ctx, func(ctx context.Context) error { kept = ctx; return sleepLong(ctx) })
		turns(t, ctx, 1)
		task.Cancel(errBoom)
		_, err := task.Await(ctx)
		wantCancelled(t, "the task", err, errBoom)
		for name, await := range map[string]func() error{
			"Yield":             func() error { return asyncio.Yield(kept) },
			"Sleep":             func() error { return asyncio.Sleep(kept, 1) },
			"below WithValue":   func() error { return asyncio.Yield(context.WithValue(kept, contextKey(1), 1)) },
			"Timeout":           func() error { return asyncio.Timeout(kept, time.Second, asyncio.Yield) },
			"below WithTimeout": func() error { c, _ := asyncio.WithTimeout(kept, time.Second); return asyncio.Yield(c) },
			"task":              func() error { _, err := asyncio.Go(kept, asyncio.Yield).Await(ctx); return err },
		} {
			wantCancelled(t, name, await(), errBoom)
		}
		var v int
		if text := panicOf(func() {
			v, err = asyncio.Shield(kept, func(context.Context) (int, error) { return 2, nil })
		}); text != "no panic" {
			t.Fatalf("Shield panicked: %s", text)
		}
		if wantCancelled(t, "Shield", err, errBoom); v != 2 || !closed(t, "kept", kept, errBoom) {
			t.Errorf("Shield = %v; the context's Err is %v", v, kept.Err())
		}
		return nil
	})
}

// Somebody may wait for Done of a task's context when the task is long done.
func TestScope_DoneOfAFinishedTask(t *testing.T) {
	run(t, func(main context.Context) error {
		// Ways to run under something that ends later than the task.
		for name, above := range map[string]func(f func(context.Context) error) error{
			"scope": func(f func(context.Context) error) error {
				c, cancel := asyncio.WithCancelCause(main)
				defer cancel(nil)
				return f(c)
			},
			"bracket": func(f func(context.Context) error) error { return asyncio.Timeout(main, time.Hour, f) },
			"standard context": func(f func(context.Context) error) error {
				c, cancel := context.WithCancel(main)
				defer cancel()
				return f(c)
			},
			"cancelled task": func(f func(context.Context) error) error {
				task := asyncio.Go(main, func(ctx context.Context) error {
					err := f(ctx)
					asyncio.CurrentTask(ctx).Cancel(nil)
					return err
				})
				_, err := task.Await(main)
				return err
			},
		} {
			kept, called := map[string]context.Context{}, make(chan struct{})
			err := above(func(ctx context.Context) error {
				_, err := asyncio.Go(ctx, func(ctx context.Context) error {
					ctx.Done()
					kept["asked early"], kept["derived"] = ctx, context.WithValue(ctx, contextKey(1), 1)
					context.AfterFunc(ctx, func() { close(called) })
					_, err := asyncio.Go(ctx, func(ctx context.Context) error { kept["asked late"] = ctx; return nil }).Await(ctx)
					asyncio.Go(ctx, func(ctx context.Context) error { ctx.Done(); kept["below"] = ctx; return nil })
					return errors.Join(err, asyncio.Yield(ctx))
				}).Await(ctx)
				runtime.GC() // who can still ask is not forgotten
				for what, c := range kept {
					if closed(t, name, c, context.Canceled) {
						t.Errorf("%s, %s: the context of a finished task is cancelled", name, what)
					}
				}
				return err
			})
			for what, c := range kept {
				if !arrives(main, c.Done()) || !closed(t, name, c, context.Canceled) {
					t.Errorf("%s, %s: what was above a finished task has ended, but its context has not", name, what)
				}
			}
			if !arrives(main, called) || err != nil {
				t.Errorf("%s: AfterFunc was not called; %v", name, err)
			}
		}
		return nil
	})
}

// A goroutine that keeps nothing but the channel is told at the latest when
// nobody can tell it any more: it is not left behind.
func TestScope_OrphanGoroutinesEnd(t *testing.T) {
	ended := make(chan struct{})
	run(t, func(ctx context.Context) error {
		for range 3 {
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				done := ctx.Done()
				go func() { <-done; ended <- struct{}{} }()
				return nil
			})
			if _, err := task.Await(ctx); err != nil {
				return err
			}
		}
		runtime.GC() // some may be told now, the others when the loop closes
		return asyncio.Yield(ctx)
	})
	for range 3 {
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatal("a goroutine waits for Done of a finished task, though the loop is closed")
		}
	}
}

func TestAwait_ObeysTheContextItIsGiven(t *testing.T) {
	s := &story{}
	run(t, func(main context.Context) error {
		outer, cancelOuter := asyncio.WithCancel(main)
		task := asyncio.Go(main, func(ctx context.Context) error {
			await := func(name string, c context.Context) {
				s.add("%s %v", name, asyncio.Sleep(c, time.Minute) == nil)
			}
			await("own", ctx)
			await("values", context.WithValue(ctx, scopeTestKey{}, 1))
			await("uncancellable", context.WithoutCancel(ctx))
			await("uncancellable with values", context.WithValue(context.WithoutCancel(ctx), scopeTestKey{}, 1))
			await("captured", outer)
			asyncio.Go(main, func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, time.Second)
				cancelOuter()
				return err
			})
			await("captured", outer) // cancelled while it waits
			await("captured", outer) // and before
			return nil
		})
		turns(t, main, 1)
		task.Cancel(nil)
		_, err := task.Await(main)
		return err
	})
	s.want(t, "own false", "values false", "uncancellable true", "uncancellable with values true",
		"captured true", "captured false", "captured false")
}

// A task that waits under a standard context derived from its own is cancelled
// by its cancellation, and by no other.
func TestCancel_PassesThroughStandardContextsUnchanged(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for name, below := range map[string]func(context.Context) error{
			"await": sleepLong,
			"task":  func(ctx context.Context) error { _, err := asyncio.Go(ctx, sleepLong).Await(ctx); return err },
			"scope": func(ctx context.Context) error {
				ctx, cancel := asyncio.WithCancel(ctx)
				defer cancel()
				return sleepLong(ctx)
			},
		} {
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				std, stop := context.WithCancel(ctx)
				defer stop()
				return below(std)
			})
			turns(t, ctx, 2)
			task.Cancel(errBoom)
			_, err := task.Await(ctx)
			wantCancelled(t, name, err, errBoom)
			if task.State() != asyncio.Cancelled {
				t.Errorf("%s below a standard context: the cancelled task is %v", name, task.State())
			}
		}
		return nil
	})
}
