package asyncio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncio-go/asyncio"
)

func TestDeadlock_EndsTheRunAndExplains(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	cleaned := false
	err := b.Run(context.Background(), func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		a := asyncio.SpawnWith(ctx, asyncio.TaskOptions{Name: "a"}, func(ctx context.Context) (struct{}, error) {
			defer func() { cleaned = true }()
			_, err := f.Await(ctx)
			return struct{}{}, err
		})
		_, err := a.Await(ctx)
		return err
	})
	if !errors.Is(err, asyncio.ErrDeadlock) || !errors.Is(err, context.Canceled) || !cleaned {
		t.Errorf("Run returned %v, want ErrDeadlock; cleaned=%v", err, cleaned)
	}
	text := b.log.Text()
	for _, want := range []string{
		"ERROR asyncio: Deadlock: every task waits and nothing can wake them\n",
		"  Task-1 (asyncio_test.TestDeadlock_EndsTheRunAndExplains.func1) waits for <Task pending name='a'",
		"  a (asyncio_test.TestDeadlock_EndsTheRunAndExplains.func1.1) waits for <Future pending name='Future-1'>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

func TestDeadlock_OfWhatCannotBeCancelled(t *testing.T) {
	noLeaks(t)
	b := quietBench()
	err := b.Run(context.Background(), func(ctx context.Context) error {
		f := asyncio.NewFuture[int](ctx)
		_, err := f.Await(context.WithoutCancel(ctx))
		return err
	})
	var se *asyncio.ShutdownError
	if !errors.Is(err, asyncio.ErrDeadlock) || !errors.As(err, &se) || len(se.Left) != 1 {
		t.Errorf("Run returned %v, want ErrDeadlock and the task that was left", err)
	}
}

func TestDeadlock_IsNotDeclaredWhereSomethingCouldHappen(t *testing.T) {
	for name, wake := range map[string]func(ctx context.Context, f *asyncio.Future[int]) error{
		"the loop's handle was given away": func(ctx context.Context, f *asyncio.Future[int]) error {
			l, err := asyncio.RunningLoop(ctx)
			go func() {
				time.Sleep(5 * time.Millisecond)
				l.CallSoon(func() { f.SetResult(1) })
			}()
			return err
		},
		"a channel": func(ctx context.Context, f *asyncio.Future[int]) error {
			ch := make(chan int)
			asyncio.Go(ctx, func(ctx context.Context) error {
				v, _, err := asyncio.Recv(ctx, ch)
				f.SetResult(v)
				return err
			})
			go func() {
				time.Sleep(5 * time.Millisecond)
				ch <- 1
			}()
			return nil
		},
		"a function": func(ctx context.Context, f *asyncio.Future[int]) error {
			asyncio.Go(ctx, func(ctx context.Context) error {
				v, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
					time.Sleep(5 * time.Millisecond)
					return 1, nil
				})
				f.SetResult(v)
				return err
			})
			return nil
		},
		"a cancel function": func(ctx context.Context, f *asyncio.Future[int]) error {
			sub, cancel := asyncio.WithCancel(ctx)
			asyncio.Go(sub, func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, 1000*time.Hour)
				f.SetResult(1)
				if !errors.Is(err, context.Canceled) {
					return errors.New("not cancelled")
				}
				return nil
			})
			go func() {
				time.Sleep(5 * time.Millisecond)
				cancel()
			}()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			// A bubble, so that the goroutines' sleeps take no time.
			synctest.Test(t, func(t *testing.T) {
				v, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
					f := asyncio.NewFuture[int](ctx)
					if err := wake(ctx, f); err != nil {
						return 0, err
					}
					return f.Await(ctx)
				})
				if v != 1 || err != nil {
					t.Errorf("Run = %v, %v, want 1", v, err)
				}
			})
		})
	}
}

func TestDeadlock_IsNotDeclaredUnderAnOuterContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := asyncio.Run(ctx, func(ctx context.Context) (int, error) { return asyncio.NewFuture[int](ctx).Await(ctx) })
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, asyncio.ErrDeadlock) {
			t.Errorf("Run returned %v, want the outer deadline", err)
		}
	})
}
