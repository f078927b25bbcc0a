package asyncio_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/internal/asynciotest"
)

// failWatched submits a task that fails, and closes its loop, when wait says that
// whoever calls it waits or has given up.
func failWatched(t *testing.T, wait func(s *asyncio.Submission[int])) (log *asynciotest.Log) {
	log = &asynciotest.Log{}
	synctest.Test(t, func(t *testing.T) {
		loop := asyncio.NewLoop(&asyncio.LoopOptions{Logger: slog.New(log)})
		ended := make(chan error, 1)
		go func() { ended <- loop.RunForever() }()
		fail := make(chan struct{})
		s := asyncio.Submit(loop, func(ctx context.Context) (int, error) {
			_, _, err := asyncio.Recv(ctx, fail)
			loop.Stop()
			return 0, errors.Join(errRefused, err)
		})
		wait(s)
		synctest.Wait()
		close(fail)
		if err := errors.Join(<-ended, loop.Close()); err != nil {
			t.Error(err)
		}
	})
	return log
}

var errRefused = errors.New("refused")

// An error that a goroutine waits for is its own: the loop that closes before that
// goroutine is awake does not report it.
func TestSubmission_ErrorThatIsWaitedForIsNotReported(t *testing.T) {
	noLeaks(t)
	got := make(chan error, 1)
	log := failWatched(t, func(s *asyncio.Submission[int]) {
		go func() {
			_, err := s.Wait(context.Background())
			got <- err
		}()
	})
	if err := <-got; !errors.Is(err, errRefused) {
		t.Errorf("Wait: %v", err)
	}
	if text := log.Text(); text != "" {
		t.Errorf("logged: %s", text)
	}
}

// Who has given up does not count.
func TestSubmission_ErrorThatNobodyWaitsForAnyMoreIsReported(t *testing.T) {
	noLeaks(t)
	log := failWatched(t, func(s *asyncio.Submission[int]) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := s.Wait(ctx); err != context.Canceled {
			t.Errorf("Wait: %v", err)
		}
	})
	if log.Count("never retrieved", "refused") != 1 {
		t.Errorf("logged: %s", log.Text())
	}
}
