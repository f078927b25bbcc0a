package asyncio_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/asyncio-go/asyncio"
)

// A sender sends signals to this process, one at a time: two of a kind at once are
// one to the kernel.
type sender struct {
	t       *testing.T
	arrived chan os.Signal
}

func newSender(t *testing.T) *sender {
	s := &sender{t, make(chan os.Signal, 1)}
	signal.Notify(s.arrived, syscall.SIGHUP, os.Interrupt, syscall.SIGTERM)
	t.Cleanup(func() { signal.Stop(s.arrived) })
	return s
}

// send returns when everybody who listens for sig has it.
func (s *sender) send(sig os.Signal) {
	s.t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(sig)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	<-s.arrived
	signal.Stop(make(chan os.Signal)) // waits until the signal was handed to all
}

func TestSignals_ComeInOrderAndAreKeptWhileTheBodyRuns(t *testing.T) {
	out, s := newSender(t), &story{}
	run(t, func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			out.send(syscall.SIGHUP)
			return nil
		})
		for sig, err := range asyncio.Signals(ctx, syscall.SIGHUP, os.Interrupt) {
			if err != nil {
				return err
			}
			if s.add("%v", sig); len(s.events) == 1 {
				out.send(os.Interrupt)
				out.send(syscall.SIGTERM) // for which nobody listens here
				out.send(syscall.SIGHUP)
			}
			if len(s.events) == 3 {
				break
			}
			if err := asyncio.Yield(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	s.want(t, "hangup", "interrupt", "hangup")
}

func TestSignals_KeepsSixtyFour(t *testing.T) {
	out, got := newSender(t), 0
	run(t, func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			out.send(syscall.SIGHUP)
			return nil
		})
		for sig, err := range asyncio.Signals(ctx, syscall.SIGHUP, os.Interrupt) {
			if err != nil {
				return err
			}
			if sig == os.Interrupt {
				break
			}
			if got++; got == 1 {
				for range 70 {
					out.send(syscall.SIGHUP)
				}
			} else if got == 65 {
				out.send(os.Interrupt)
			}
		}
		return nil
	})
	if got != 1+64 {
		t.Errorf("%d signals came, want the first and 64 that were kept", got)
	}
}

func TestSignals_EveryTaskThatListensGetsEach(t *testing.T) {
	out, s := newSender(t), &story{}
	run(t, func(ctx context.Context) error {
		return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
			for _, name := range []string{"a", "b", "c"} {
				asyncio.SpawnWith(ctx, asyncio.TaskOptions{Group: g, Eager: true}, asyncio.Void(func(ctx context.Context) error {
					for sig, err := range asyncio.Signals(ctx, syscall.SIGHUP) {
						if err != nil {
							return err
						}
						s.add("%s: %v", name, sig)
						break
					}
					return nil
				}))
			}
			out.send(syscall.SIGHUP) // they have begun, because they are eager
			return nil
		})
	})
	if len(s.events) != 3 || !strings.Contains(strings.Join(s.events, "; "), "b: hangup") {
		t.Errorf("happened: %v, want a hangup for each of three tasks", s.events)
	}
}

func TestSignals_EndsWithTheCancellation(t *testing.T) {
	s := &story{}
	run(t, func(ctx context.Context) error {
		ctx, cancel := asyncio.WithCancelCause(ctx)
		asyncio.Go(ctx, func(ctx context.Context) error { cancel(errBoom); return nil })
		for sig, err := range asyncio.Signals(ctx, syscall.SIGHUP) {
			s.add("%v, %v", sig, err)
		}
		for sig, err := range asyncio.Signals(ctx, syscall.SIGHUP) {
			s.add("%v, %v, at once", sig, err)
		}
		return nil
	})
	s.want(t, "<nil>, asyncio: cancelled: boom", "<nil>, asyncio: cancelled: boom, at once")
}

// Whoever waits for a signal is not deadlocked, and the report says what it waits for.
func TestSignals_AreSomethingToWaitFor(t *testing.T) {
	out, waiting := newSender(t), ""
	noLeaks(t)
	b := newBench()
	err := b.Run(context.Background(), func(ctx context.Context) error {
		main := asyncio.CurrentTask(ctx)
		asyncio.Go(ctx, func(ctx context.Context) error {
			waiting = main.WaitingFor()
			_, err := asyncio.Blocking(ctx, func(context.Context) (int, error) { out.send(syscall.SIGHUP); return 0, nil })
			return err
		})
		for _, err := range asyncio.Signals(ctx, syscall.SIGHUP) {
			return err
		}
		return nil
	})
	if err != nil || waiting != "Signals" {
		t.Errorf("Run = %v, and main waits for %q, want Signals", err, waiting)
	}
}

func TestSignals_Misuse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for want, f := range map[string]func(){
			"asyncio: Signals: no signal is named; pass those to listen for": func() { asyncio.Signals(ctx) },
			"asyncio: Signals: SIGKILL cannot be caught; SIGTERM is the signal that asks a process to end": func() {
				asyncio.Signals(ctx, syscall.SIGHUP, os.Kill)
			},
		} {
			if text := panicOf(f); text != want {
				t.Errorf("panics with %s\nwant %s", text, want)
			}
		}
		return nil
	})
	text := panicOf(func() {
		for range asyncio.Signals(context.Background(), syscall.SIGHUP) {
			break
		}
	})
	if !strings.HasPrefix(text, "asyncio: Signals: no running event loop in this context") {
		t.Errorf("off the loop it panics with %s", text)
	}
}

// listenFor starts a task that says what it hears, n times, and then leaves.
func listenFor(ctx context.Context, n int, signals ...os.Signal) *asyncio.Task[struct{}] {
	return asyncio.SpawnWith(ctx, asyncio.TaskOptions{Eager: true}, asyncio.Void(func(ctx context.Context) error {
		for s, err := range asyncio.Signals(ctx, signals...) {
			if err != nil {
				return err
			}
			fmt.Println("heard", s)
			if n--; n == 0 {
				break
			}
		}
		fmt.Println("listens no more")
		return nil
	}))
}

func init() {
	programs["listens with Signals"] = func(ctx context.Context) error {
		listenFor(ctx, 2, os.Interrupt)
		fmt.Println("ready")
		return sleepLong(ctx)
	}
	programs["ends itself"] = func(ctx context.Context) error {
		t := listenFor(ctx, 1, os.Interrupt, syscall.SIGTERM)
		fmt.Println("ready")
		_, err := t.Await(ctx)
		return err
	}
	programs["listens once cancelled"] = func(ctx context.Context) error {
		fmt.Println("ready")
		err := sleepLong(ctx)
		ctx = context.WithoutCancel(ctx)
		listenFor(ctx, 1, os.Interrupt)
		fmt.Println("listening")
		_ = sleepLong(ctx)
		return err
	}
}

func TestSignals_HaveTheSignalInPlaceOfMain(t *testing.T) {
	for _, c := range []struct {
		name    string
		signals []os.Signal
		status  int
		stdout  string
		stderr  string
	}{
		{"listens with Signals", []os.Signal{os.Interrupt, os.Interrupt, nil, os.Interrupt}, 130,
			"ready\nheard interrupt\nheard interrupt\nlistens no more\n", "asyncio: cancelled: received signal: interrupt\n"},
		{"listens with Signals", []os.Signal{os.Interrupt, syscall.SIGTERM}, 143,
			"ready\nheard interrupt\n", "asyncio: cancelled: received signal: terminated\n"},
		{"ends itself", []os.Signal{syscall.SIGTERM}, 0, "ready\nheard terminated\nlistens no more\n", ""},
		{"listens once cancelled", []os.Signal{os.Interrupt, os.Interrupt}, 130,
			"ready\nlistening\n", "asyncio: interrupt again, exiting at once\n"},
	} {
		status, stdout, stderr := runProgram(t, c.name, c.signals...)
		if status != c.status || stdout != c.stdout || stderr != c.stderr {
			t.Errorf("%s after %v: status %d, stdout %q, stderr %q\nwant status %d, stdout %q, stderr %q",
				c.name, c.signals, status, stdout, stderr, c.status, c.stdout, c.stderr)
		}
	}
}
