package sim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/aionet"
	"github.com/asyncio-go/asyncio/sim"
)

// ask sends a line to a host and returns the line that it answers with.
func ask(ctx context.Context, host, question string) (answer string, err error) {
	err = asyncio.Timeout(ctx, time.Second, func(ctx context.Context) error {
		c, err := aionet.Dial(ctx, "tcp", host+":7")
		if err != nil {
			return err
		}
		defer c.Abort()
		if _, err := c.In(ctx).Write([]byte(question + "\n")); err != nil {
			return err
		}
		line, err := c.In(ctx).ReadLine()
		answer = string(line)
		return err
	})
	return answer, err
}

// answering serves lines.
func answering(ctx context.Context, answer func(ctx context.Context, question string) (string, error)) error {
	l, err := aionet.Listen(ctx, "tcp", ":7")
	if err != nil {
		return err
	}
	defer l.Close()
	return aionet.Serve(ctx, l, func(ctx context.Context, c *aionet.Conn) error {
		line, err := c.ReadLine()
		if err != nil {
			return nil // the client has gone
		}
		text, err := answer(ctx, string(line))
		if err == nil {
			_, _ = c.Write([]byte(text + "\n"))
		}
		return err
	})
}

func parrot(_ context.Context, question string) (string, error) { return question, nil }

func TestFaults_OfTheNetwork(t *testing.T) {
	const pings = 60
	for _, allowed := range []sim.Faults{0, sim.FaultLatency, sim.FaultLoss, sim.FaultPartition} {
		t.Run(allowed.String(), func(t *testing.T) {
			clean(t, func(ctx context.Context, w *sim.World) error {
				w.Host(ctx, "server", func(ctx context.Context) error { return answering(ctx, parrot) })
				w.Host(ctx, "other", func(ctx context.Context) error { return answering(ctx, parrot) })
				slow, failed := 0, 0
				for range pings {
					began := w.Now()
					if _, err := ask(ctx, "server", "hello"); err != nil {
						failed++
					} else if w.Now()-began > 200*time.Millisecond {
						slow++
					}
					if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil {
						return err
					}
				}
				if allowed == 0 && slow+failed > 1 { // the server may not listen yet
					return fmt.Errorf("without faults %d are slow, %d fail", slow, failed)
				}
				if allowed != 0 {
					sim.Sometimes(ctx, slow+failed == 0, "nothing happens")
					sim.Sometimes(ctx, slow > 0, "an answer is slow")
					sim.Sometimes(ctx, failed > 0, "an answer does not come")
					sim.Sometimes(ctx, failed < pings, "an answer comes")
				}
				w.Quiet()
				began := w.Now()
				if answer, err := ask(ctx, "server", "hello"); answer != "hello" || w.Now()-began > 100*time.Millisecond {
					return fmt.Errorf("after Quiet it answers %q after %v: %w", answer, w.Now()-began, err)
				}
				return nil
			}, sim.Options{Seeds: 100, Faults: allowed})
		})
	}
}

// What the program has broken itself stays broken.
func TestFaults_HealOnlyTheirOwn(t *testing.T) {
	clean(t, func(ctx context.Context, w *sim.World) error {
		h := w.Host(ctx, "server", func(ctx context.Context) error { return answering(ctx, parrot) })
		w.Net().SetLatency(30*time.Millisecond, 30*time.Millisecond)
		w.Net().Partition([]*sim.Host{h}, nil)
		if err := asyncio.Sleep(ctx, time.Duration(w.Draw(200))*time.Millisecond); err != nil {
			return err
		}
		w.Quiet()
		if _, err := ask(ctx, "server", "hello"); err == nil {
			return errors.New("the partition is gone")
		}
		w.Net().Heal()
		began := w.Now()
		if _, err := ask(ctx, "server", "hello"); err != nil || w.Now()-began < 100*time.Millisecond {
			return fmt.Errorf("it answers after %v: %w", w.Now()-began, err)
		}
		return nil
	}, sim.Options{Seeds: 100, Faults: sim.FaultPartition | sim.FaultLatency | sim.FaultLoss})
}

// storing is a counter behind a network, and a client that does not give up.
func storing(variant counter) sim.Func {
	return func(ctx context.Context, w *sim.World) error {
		acknowledged := 0
		var h *sim.Host
		h = w.Host(ctx, "store", func(ctx context.Context) error {
			c := variant
			c.disk = h.Disk()
			if err := c.open(ctx); err != nil {
				h.Restart() // as a program that exits and is started again
				return asyncio.Yield(ctx)
			}
			sim.Always(ctx, c.value >= acknowledged, "what was acknowledged is there")
			var writing asyncio.Lock
			return answering(ctx, func(ctx context.Context, question string) (string, error) {
				var want int
				if _, err := fmt.Sscan(question, &want); err != nil {
					return "", err
				}
				err := writing.Do(ctx, func(ctx context.Context) error {
					for c.value < want {
						if err := c.add(ctx); err != nil {
							h.Restart() // nobody knows what is on the disk now
							return asyncio.Yield(ctx)
						}
					}
					return nil
				})
				return fmt.Sprint(c.value), err
			})
		})
		for want := 1; want <= 10; want++ {
			for patience := 1000; ; patience-- {
				answer, err := ask(ctx, "store", fmt.Sprint(want))
				if err == nil && answer == fmt.Sprint(want) {
					break
				}
				if patience == 0 {
					return fmt.Errorf("it never acknowledges %d", want)
				}
				if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil {
					return err
				}
			}
			acknowledged = want
		}
		return nil
	}
}

func TestFaults_StoreThatSyncsSurvivesAll(t *testing.T) {
	clean(t, storing(counter{}), sim.Options{Seeds: 1000, Faults: sim.AllFaults})
}

func TestFaults_StoreThatDoesNotSyncIsFound(t *testing.T) {
	got := found(t, storing(counter{noSync: true}), sim.Options{Faults: sim.AllFaults})
	if got.Kind != sim.KindAssertion {
		t.Errorf("failure is %v", got)
	}
}

// The second run of a campaign is made twice and compared step by step.
func TestFaults_RunsCanBeRepeated(t *testing.T) {
	for seed := range uint64(100) {
		clean(t, storing(counter{}), sim.Options{Seed: seed, Seeds: 2, Faults: sim.AllFaults})
	}
}
