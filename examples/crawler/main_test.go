package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/asyncio-go/asyncio"
	"github.com/asyncio-go/asyncio/sim"
)

func newCrawler() *crawler {
	return &crawler{
		web: newWeb(), hosts: map[string]*asyncio.Semaphore{}, seen: map[string]bool{},
		results: asyncio.NewQueue[result](8),
	}
}

// limited has the run fail where the crawler fetches too many pages at a time.
func limited(w *sim.World, c *crawler) {
	w.Invariant("the limits on fetches", func() error {
		if c.web.most > maxFetches || c.web.mostOfHost > maxPerHost {
			return fmt.Errorf("%d at a time, %d of one host", c.web.most, c.web.mostOfHost)
		}
		return nil
	})
}

// Whatever the schedule, the crawl keeps its limits and its deadline, and has every page
// that can be had by then.
func TestCrawler_UnderAnySchedule(t *testing.T) {
	sim.Test(t, func(ctx context.Context, w *sim.World) error {
		c := newCrawler()
		limited(w, c)
		if err := c.crawl(ctx); err != nil {
			return err
		}
		if w.Now() != deadline {
			return fmt.Errorf("it took %v", w.Now())
		}
		for _, url := range []string{"go.example/doc/spec", "go.example/doc/faq", "go.example/blog/2", "play.example/c", "slow.example/"} {
			if !c.seen[url] {
				return fmt.Errorf("%s was not found", url)
			}
		}
		sim.Sometimes(ctx, c.web.most == maxFetches, "as many fetches as may be")
		return c.over()
	}, sim.Options{Seeds: 300})
}

func TestCrawler_CancelledAtEveryMoment(t *testing.T) {
	sim.CancelEverywhere(t, func(ctx context.Context, w *sim.World) error {
		c := newCrawler()
		limited(w, c)
		if err := w.Victim(ctx, c.crawl); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return c.over()
	}, sim.Options{Seeds: 3})
}

// over is an error if something goes on.
func (c *crawler) over() error {
	if c.web.now != 0 {
		return fmt.Errorf("%d fetches go on", c.web.now)
	}
	for url := range c.seen {
		if h := c.hosts[hostOf(url)]; h != nil && h.Free() != maxPerHost {
			return fmt.Errorf("of the places of %s, %d are free", hostOf(url), h.Free())
		}
	}
	return nil
}
