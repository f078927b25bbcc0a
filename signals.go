package asyncio

import (
	"context"
	"iter"
	"os"
	"os/signal"
	"slices"
	"sync"
)

// Signals are the signals of the given kinds that the process receives, from the
// beginning of the iteration on, as an iterator. It is asyncio's
// add_signal_handler:
//
//	for s, err := range asyncio.Signals(ctx, syscall.SIGHUP) {
//		if err != nil {
//			return err // ctx is cancelled
//		}
//		reload(s)
//	}
//
// Cancelling ctx ends the iteration with the [CancelledError] in the last pair.
// Several tasks may listen for the same signal; each gets it. A signal that comes
// while the body of the iteration runs is kept, up to 64 of them; what comes
// beyond that is lost, as it may be in the kernel. Once the iteration has ended,
// with its last pair or by a break, and nobody else listens, the signals do again
// what they did before; those that were kept are dropped.
//
// On the loop of [Main], whoever listens for SIGINT or SIGTERM has it in place of
// Main: it does not cancel main. Once a signal has cancelled main, the next one ends the
// process at once, whoever listens.
//
// A signal that comes before the iteration begins is not seen: to listen from a
// certain moment on, start the task eagerly there, with [TaskOptions]. Signals panics
// if no signal is named, or SIGKILL, which no process receives. The iterator may
// be used more than once, and listens anew then.
func Signals(ctx context.Context, signals ...os.Signal) iter.Seq2[os.Signal, error] {
	switch {
	case len(signals) == 0:
		panic(misuse(nil, "Signals: no signal is named; pass those to listen for"))
	case slices.Contains(signals, os.Kill):
		panic(misuse(nil, "Signals: SIGKILL cannot be caught; SIGTERM is the signal that asks a process to end"))
	}
	signals = slices.Clone(signals)
	return func(yield func(os.Signal, error) bool) {
		in := runningTask(ctx, "Signals").scope.e.intake
		l := &listener{signals: signals, heard: make(chan os.Signal, maxKept)}
		in.add(l)
		defer in.remove(l)
		for {
			s, _, err := receive(ctx, l.heard, "Signals")
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// maxKept is how many signals wait for the loop that has no time for them.
const maxKept = 64

// A listener is one iteration of Signals.
type listener struct {
	signals []os.Signal
	heard   chan os.Signal
}

// An intake is where the signals arrive that Main handles. It hands each either to
// those who listen on Main's loop or to Main: never to both, and never to nobody,
// which could not be promised if each subscribed by itself.
type intake struct {
	arrived chan os.Signal

	mu        sync.Mutex
	listeners []*listener
}

// add has l hear its signals. A nil intake is that of a loop without Main.
func (in *intake) add(l *listener) {
	own := l.signals
	if in != nil {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.listeners = append(in.listeners, l)
		own = slices.DeleteFunc(slices.Clone(own), func(s os.Signal) bool { return slices.Contains(handled, s) })
	}
	if len(own) > 0 { // with none, Notify would subscribe to all
		signal.Notify(l.heard, own...)
	}
}

func (in *intake) remove(l *listener) {
	signal.Stop(l.heard)
	if in != nil {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.listeners = slices.DeleteFunc(in.listeners, func(x *listener) bool { return x == l })
	}
}

// passOn gives s to those who listen for it and reports whether anybody does.
func (in *intake) passOn(s os.Signal) (heard bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, l := range in.listeners {
		if !slices.Contains(l.signals, s) {
			continue
		}
		heard = true
		select {
		case l.heard <- s:
		default: // full
		}
	}
	return heard
}
