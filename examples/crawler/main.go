// Crawler visits every page of a site: so many at a time and fewer of one host,
// with retries and a deadline, and hands the results to a task that prints them.
// The site is simulated and the clock virtual; -real takes the machine's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/asyncio-go/asyncio"
)

const (
	maxFetches = 4 // at a time
	maxPerHost = 2
	maxTries   = 3
	patience   = 400 * time.Millisecond // with one try
	deadline   = 2 * time.Second        // for all
)

func main() {
	realClock := flag.Bool("real", false, "run on the machine's clock")
	flag.Parse()
	r := &asyncio.Runner{}
	if !*realClock {
		r.Options.Clock = &asyncio.ManualClock{}
	}
	c := &crawler{
		web:   newWeb(),
		hosts: map[string]*asyncio.Semaphore{},
		seen:  map[string]bool{},
		// Bounded: if printing were slow, fetching would slow down with it.
		results: asyncio.NewQueue[result](8),
	}
	if err := r.Run(context.Background(), c.crawl); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("at most %d fetches at a time, %d of one host\n", c.web.most, c.web.mostOfHost)
}

// A crawler belongs to one loop, so that nothing in it needs a lock.
type crawler struct {
	web     *web
	hosts   map[string]*asyncio.Semaphore
	seen    map[string]bool
	results *asyncio.Queue[result]
}

type result struct {
	url   string
	links int
	tries int
	err   error
}

func (c *crawler) crawl(ctx context.Context) error {
	return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
		// The printer is in a group of its own, or the deadline would take it
		// along with the fetches, and the limit would count it.
		g.Go(c.print)
		defer c.results.Shutdown(false) // the printer ends once it has printed all
		err := asyncio.Timeout(ctx, deadline, func(ctx context.Context) error {
			return asyncio.Group(ctx, func(ctx context.Context, g *asyncio.TaskGroup) error {
				g.SetLimit(maxFetches)
				c.visit(g, "go.example/")
				return nil
			})
		})
		if errors.Is(err, asyncio.ErrTimeout) {
			fmt.Println("the deadline has ended it:", err)
			return nil // what was found until then is the result
		}
		return err
	})
}

// visit starts a task for a page that was not seen yet, which does the same for
// the pages it links to. It never waits: the group keeps what is above its limit.
func (c *crawler) visit(g *asyncio.TaskGroup, url string) {
	if c.seen[url] {
		return
	}
	c.seen[url] = true
	g.Go(func(ctx context.Context) error {
		r := result{url: url}
		links, err := c.try(ctx, url, &r.tries)
		if ctx.Err() != nil {
			return ctx.Err() // err may be what the page is, and no cancellation
		}
		// A page that cannot be had is a result. Returned, it would be the
		// group's failure and end the crawl.
		r.links, r.err = len(links), err
		for _, link := range links {
			c.visit(g, link)
		}
		return c.results.Put(ctx, r)
	})
}

// try fetches a page, again and ever later while there is hope.
func (c *crawler) try(ctx context.Context, url string, tries *int) (links []string, err error) {
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		*tries++
		links, err = c.fetch(ctx, url)
		hope := errors.Is(err, errBusy) || errors.Is(err, asyncio.ErrTimeout)
		if !hope || *tries == maxTries {
			return links, err
		}
		if err := asyncio.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// fetch waits for its turn at the host, which is not part of the time that the
// host has to answer.
func (c *crawler) fetch(ctx context.Context, url string) (links []string, err error) {
	host := hostOf(url)
	if c.hosts[host] == nil {
		c.hosts[host] = asyncio.NewSemaphore(maxPerHost)
	}
	err = c.hosts[host].Do(ctx, func(ctx context.Context) error {
		links, err = asyncio.WaitFor(ctx, patience, func(ctx context.Context) ([]string, error) {
			return c.web.get(ctx, url)
		})
		return err
	})
	return links, err
}

func (c *crawler) print(ctx context.Context) error {
	for r, err := range c.results.All(ctx) {
		switch {
		case err != nil:
			return err
		case r.err != nil:
			fmt.Printf("%-20s %v, given up after %d\n", r.url, r.err, r.tries)
		default:
			fmt.Printf("%-20s %d links, try %d\n", r.url, r.links, r.tries)
		}
	}
	return nil
}
