package goker

import (
	"context"
	"time"

	"github.com/asyncio-go/asyncio/sim/bugs"
)

const gohugo = "https://github.com/gohugoio/hugo/pull/"

var hugo = []bugs.Bug{
	bug("hugo#3251", gohugo+"3251",
		"who waits for a URL holds the lock that who has it needs to give it back", hugo3251),
	bug("hugo#5379", gohugo+"5379",
		"pages that show each other hold their locks beyond the timeout that is to free them", hugo5379),
}

// hugo3251 is the lock of URLs that are fetched: a map of mutexes, under a mutex.
func hugo3251(ctx context.Context, g *routines, fixed bool) {
	var mu rwMutex
	urls := map[string]*mutex{}
	lockURL := func(ctx context.Context, url string) {
		mu.Lock(ctx)
		if urls[url] == nil {
			urls[url] = &mutex{}
		}
		m := urls[url]
		if fixed {
			mu.Unlock()
		} else {
			defer mu.Unlock()
		}
		m.Lock(ctx)
	}
	unlockURL := func(ctx context.Context, url string) {
		mu.RLock(ctx)
		defer mu.RUnlock()
		urls[url].Unlock()
	}
	for i := range 3 {
		g.Go(ctx, "resGetRemote", func(ctx context.Context) {
			steps(ctx, 4*i)
			lockURL(ctx, "feed.json")
			unlockURL(ctx, "feed.json")
		})
	}
}

// A page5379 is a page whose content shows how many words the other one has.
type page5379 struct {
	content, plain once
	mu             mutex // of content and plain
	other          *page5379
	fixed          bool
}

func (p *page5379) initContent(ctx context.Context, g *routines) {
	p.content.Do(ctx, func() {
		ready := makeChan[struct{}](1)
		if p.fixed {
			p.mu.Lock(ctx)
			defer p.mu.Unlock()
		}
		g.Go(ctx, "prepareForRender", func(ctx context.Context) {
			if !p.fixed {
				p.mu.Lock(ctx)
				defer p.mu.Unlock()
			}
			p.other.wordCount(ctx, g)
			ready.Send(ctx, struct{}{})
		})
		choose(ctx, recv(ready, nil), recv(after(ctx, time.Second), nil))
	})
}

func (p *page5379) wordCount(ctx context.Context, g *routines) {
	p.initContent(ctx, g)
	p.plain.Do(ctx, func() {
		p.mu.Lock(ctx)
		p.mu.Unlock()
	})
}

// hugo5379 is a site of two pages.
func hugo5379(ctx context.Context, g *routines, fixed bool) {
	a, b := &page5379{fixed: fixed}, &page5379{fixed: fixed}
	a.other, b.other = b, a
	for _, p := range []*page5379{a, b} {
		g.Go(ctx, "render", func(ctx context.Context) { p.initContent(ctx, g) })
	}
}
