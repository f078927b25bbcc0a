package asyncio_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// serve runs a loop on a goroutine of its own until the test ends.
func serve(t *testing.T, log *asynciotest.Log) *asyncio.Loop {
	t.Helper()
	l := asyncio.NewLoop(&asyncio.LoopOptions{Logger: slog.New(log), Clock: &asyncio.ManualClock{}})
	ended := make(chan error)
	go func() { ended <- errors.Join(l.RunForever(), l.Close()) }()
	t.Cleanup(func() {
		l.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestSubmit_Results(t *testing.T) {
	noLeaks(t)
	log := &asynciotest.Log{}
	l := serve(t, log)
	if v, err := asyncio.Submit(l, taskAnswer).Wait(t.Context()); v != 42 || err != nil {
		t.Errorf("Wait = %v, %v, want 42", v, err)
	}
	if v, err := asyncio.Submit(l, taskNap).Wait(t.Context()); v != 0 || err != nil {
		t.Errorf("Wait for a task that sleeps = %v, %v", v, err)
	}
	failed := asyncio.Submit(l, taskFail)
	for range 2 {
		if _, err := failed.Wait(t.Context()); err != errBoom {
			t.Errorf("Wait = %v, want boom", err)
		}
	}
	_, err := asyncio.Submit(l, taskPanic).Wait(t.Context())
	var pe *asyncio.PanicError
	if !errors.As(err, &pe) || pe.Value != "kaboom" || log.Count("ERROR asyncio: Task panicked", "kaboom") != 1 {
		t.Errorf("Wait for a task that panics = %v, logged:\n%s", err, log.Text())
	}
}

func TestSubmit_Cancel(t *testing.T) {
	noLeaks(t)
	l := serve(t, &asynciotest.Log{})
	began := make(chan struct{})
	s := asyncio.Submit(l, func(ctx context.Context) (int, error) {
		close(began)
		_, err := asyncio.NewFuture[int](ctx).Await(ctx)
		return 0, err
	})
	<-began
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("tired of waiting"))
	_, err := s.Wait(ctx) // which ends the wait and not the task
	wantErr(t, err, "tired of waiting")
	select {
	case <-s.Done():
		t.Error("the task is done although only the wait for it was cancelled")
	default:
	}
	s.Cancel(errBoom)
	_, err = s.Wait(t.Context())
	wantErr(t, err, "asyncio: cancelled: boom")
	if _, err := s.Wait(ctx); !errors.Is(err, errBoom) {
		t.Errorf("Wait for a task that is done, with a cancelled context = %v, want the result", err)
	}
}

func TestSubmit_WaitOnALoopPanics(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		s := asyncio.Submit(l, taskAnswer)
		text := panicOf(func() { _, _ = s.Wait(ctx) })
		if !strings.HasPrefix(text, "asyncio: Submission.Wait: would block loop ") || !strings.HasSuffix(text, "Recv(ctx, s.Done()) first") {
			t.Errorf("Wait panics with %s", text)
		}
		_, _, recvErr := asyncio.Recv(ctx, s.Done())
		if v, err := s.Wait(ctx); v != 42 || err != nil {
			t.Errorf("Wait for a task that is done = %v, %v", v, err)
		}
		return errors.Join(err, recvErr)
	})
}

func TestSubmit_ToALoopThatIsClosedFirst(t *testing.T) {
	noLeaks(t)
	l := asyncio.NewLoop(nil)
	never := asyncio.Submit(l, func(context.Context) (int, error) { t.Error("it ran"); return 0, nil })
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := never.Wait(t.Context()); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("on a loop that never ran: %v, want ErrLoopClosed", err)
	}
	l = asyncio.NewLoop(nil)
	done, cut := asyncio.Submit(l, taskAnswer), asyncio.Submit(l, taskNap)
	_, err := asyncio.RunUntilComplete(t.Context(), l, func(ctx context.Context) (int, error) {
		return 0, errors.Join(asyncio.Yield(ctx), asyncio.Yield(ctx))
	})
	if err := errors.Join(err, l.Close()); err != nil {
		t.Error(err)
	}
	for range 100 { // the result that is there wins, not by chance
		if v, err := done.Wait(t.Context()); v != 42 || err != nil {
			t.Fatalf("the result of a task that was done is %v, %v after the loop was closed", v, err)
		}
	}
	if _, err := cut.Wait(t.Context()); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("cut short by Close: %v, want ErrLoopClosed", err)
	}
}

func TestSubmit_FailureIsNotReportedWhileSomebodyMayWait(t *testing.T) {
	noLeaks(t)
	log := &asynciotest.Log{}
	l := serve(t, log)
	s := asyncio.Submit(l, taskFail)
	<-s.Done()
	for range 20 {
		runtime.GC() // nobody holds the task any more, but its result
		if _, err := asyncio.Submit(l, taskAnswer).Wait(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Millisecond) // the collector runs cleanups when it likes
	}
	if got := log.Text(); got != "" {
		t.Errorf("reported before anybody could have waited:\n%s", got)
	}
	if _, err := s.Wait(t.Context()); err != errBoom {
		t.Errorf("Wait = %v, want boom", err)
	}
}

func TestCallSoon_KeepsTheOrderOfEachGoroutine(t *testing.T) {
	const goroutines, calls = 8, 2000
	next := make([]int, goroutines) // belongs to the loop
	onLoop(t, func(ctx context.Context, l *asyncio.Loop) error {
		_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) {
			var all sync.WaitGroup
			for g := range goroutines {
				all.Go(func() {
					for i := range calls {
						l.CallSoon(func() {
							if next[g] != i {
								t.Errorf("goroutine %d: call %d came when %d was due", g, i, next[g])
							}
							next[g]++
						})
					}
				})
			}
			all.Wait()
			return 0, nil
		})
		for g, n := range next { // what was called before the result was is done before
			if n != calls {
				t.Errorf("goroutine %d: %d of %d calls were made", g, n, calls)
			}
		}
		return err
	})
}

func TestCallSoon_NeverLosesAWakeUp(t *testing.T) {
	noLeaks(t)
	goroutines, calls := 4, 20_000
	if testing.Short() {
		calls = 1000
	}
	l := serve(t, &asynciotest.Log{})
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			answered := make(chan struct{}, 1)
			patience := time.NewTimer(20 * time.Second)
			defer patience.Stop()
			for i := range calls {
				l.CallSoon(func() { answered <- struct{}{} }) // the loop is about to sleep, or to wake
				select {
				case <-answered:
				case <-patience.C:
					t.Errorf("call %d has not been answered", i)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestCallSoon_WakesALoopThatWaitsForATimer(t *testing.T) {
	noLeaks(t)
	l := asyncio.NewLoop(nil)
	l.CallLater(time.Hour, func() { t.Error("an hour has passed") })
	ended := make(chan error)
	go func() { ended <- l.RunForever() }()
	for range 1000 {
		answered := make(chan struct{})
		l.CallSoon(func() { close(answered) })
		<-answered
	}
	l.Stop()
	if err := errors.Join(<-ended, l.Close()); err != nil {
		t.Error(err)
	}
}

func TestRecv_Results(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ch := make(chan int, 1)
		ch <- 1
		if v, ok, err := asyncio.Recv(ctx, ch); v != 1 || !ok || err != nil {
			t.Errorf("what is there: %v, %v, %v", v, ok, err)
		}
		go func() { ch <- 2; close(ch) }()
		if v, ok, err := asyncio.Recv(ctx, ch); v != 2 || !ok || err != nil {
			t.Errorf("what comes later: %v, %v, %v", v, ok, err)
		}
		if v, ok, err := asyncio.Recv(ctx, ch); v != 0 || ok || err != nil {
			t.Errorf("closed: %v, %v, %v", v, ok, err)
		}
		closedLater := make(chan int)
		go close(closedLater)
		if v, ok, err := asyncio.Recv(ctx, closedLater); v != 0 || ok || err != nil {
			t.Errorf("closed later: %v, %v, %v", v, ok, err)
		}
		scope, cancel := asyncio.WithCancelCause(ctx)
		asyncio.Go(ctx, func(context.Context) error { cancel(errBoom); return nil })
		_, ok, err := asyncio.Recv[int](scope, nil)
		wantErr(t, err, "asyncio: cancelled: boom")
		if ok {
			t.Error("something came from a nil channel")
		}
		ready := make(chan int, 1)
		ready <- 3
		if _, _, err := asyncio.Recv(scope, ready); !errors.Is(err, errBoom) || len(ready) != 1 {
			t.Errorf("under a cancelled context: %v, and %d are left in the channel", err, len(ready))
		}
		return nil
	})
}

func TestSend_Results(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ch := make(chan int, 1)
		err := asyncio.Send(ctx, ch, 1) // there is room
		got := make(chan int, 2)
		go func() { got <- <-ch; got <- <-ch }()
		err = errors.Join(err, asyncio.Send(ctx, ch, 2))
		if a, b := <-got, <-got; a != 1 || b != 2 || err != nil {
			t.Errorf("sent %d and %d, %v", a, b, err)
		}
		scope, cancel := asyncio.WithCancelCause(ctx)
		asyncio.Go(ctx, func(context.Context) error { cancel(errBoom); return nil })
		wantErr(t, asyncio.Send(scope, nil, 1), "asyncio: cancelled: boom")

		// Closing a channel to which a Send waits panics too; the race detector
		// rightly calls it a race.
		closed := make(chan int)
		close(closed)
		wantPanic(t, "send on closed channel", func() { _ = asyncio.Send(ctx, closed, 1) })
		return nil
	})
}

// race runs wait many times while a goroutine does act and another cancels.
func race(t *testing.T, ctx context.Context, wait func(ctx context.Context, i int) error, act func(i int), check func(i int, err error)) {
	t.Helper()
	n := 3000
	if testing.Short() {
		n = 300
	}
	cancelled := 0
	for i := range n {
		scope, cancel := asyncio.WithCancel(ctx)
		var both sync.WaitGroup
		task := asyncio.Go(ctx, func(context.Context) error {
			both.Go(func() { act(i) })
			both.Go(cancel)
			if i%2 == 0 {
				runtime.Gosched()
			}
			return wait(scope, i)
		})
		_, err := task.Await(ctx)
		both.Wait()
		if err != nil {
			cancelled++
		}
		check(i, err)
	}
	if cancelled == 0 || cancelled == n {
		t.Logf("no race: the cancellation won %d of %d times", cancelled, n)
	}
}

func TestRecv_CancelledLosesNoValue(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ch, got := make(chan int, 1), 0
		race(t, ctx, func(ctx context.Context, _ int) (err error) {
			got, _, err = asyncio.Recv(ctx, ch)
			return err
		}, func(i int) { ch <- i }, func(i int, err error) {
			if err == nil && got == i && len(ch) == 0 {
				return
			}
			if err == nil || !errors.Is(err, context.Canceled) || len(ch) != 1 {
				t.Fatalf("value %d: received %d, %v, and %d are left in the channel", i, got, err, len(ch))
			}
			<-ch
		})
		return nil
	})
}

func TestSend_CancelledSendsOrNot(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ch := make(chan int, 1)
		ch <- -1
		race(t, ctx, func(ctx context.Context, i int) error { return asyncio.Send(ctx, ch, i) },
			func(int) { <-ch }, func(i int, err error) {
				if sent := len(ch) == 1; sent != (err == nil) {
					t.Fatalf("value %d: Send = %v, and it was sent: %v", i, err, sent)
				} else if !sent {
					ch <- -1
				}
			})
		return nil
	})
}

func TestSynctest_LoopInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, s := time.Now(), &story{}
		ch := make(chan int)
		ended := make(chan error)
		go func() {
			_, err := asyncio.Run(t.Context(), func(ctx context.Context) (int, error) {
				err := asyncio.Sleep(ctx, time.Hour)
				s.add("slept %v", time.Since(began))
				_, blockErr := asyncio.Blocking(ctx, func(context.Context) (int, error) {
					time.Sleep(time.Minute) // on the bubble's clock
					return 0, nil
				})
				s.add("blocked %v", time.Since(began))
				v, _, recvErr := asyncio.Recv(ctx, ch)
				s.add("received %d", v)
				timeout := asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
					_, _, err := asyncio.Recv(ctx, ch)
					return err
				})
				s.add("timed out %v %v", errors.Is(timeout, asyncio.ErrTimeout), time.Since(began))
				return 0, errors.Join(err, blockErr, recvErr)
			})
			ended <- err
		}()
		time.Sleep(2 * time.Hour)
		synctest.Wait() // returns only if the loop is durably blocked
		s.want(t, "slept 1h0m0s", "blocked 1h1m0s")
		ch <- 7
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.want(t, "slept 1h0m0s", "blocked 1h1m0s", "received 7", "timed out true 2h0m1s")
	})
}

func TestGoroutines_OfSeveralLoopsMeet(t *testing.T) {
	noLeaks(t)
	a, b := serve(t, &asynciotest.Log{}), serve(t, &asynciotest.Log{})
	var hops atomic.Int64
	var hop func(from, to *asyncio.Loop)
	done := make(chan struct{})
	hop = func(from, to *asyncio.Loop) {
		if hops.Add(1) == 2000 {
			close(done)
			return
		}
		to.CallSoon(func() { hop(to, from) })
	}
	a.CallSoon(func() { hop(a, b) })
	<-done
}
