package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/asyncio-go/asyncio"
)

var (
	errBusy    = errors.New("503 busy")
	errMissing = errors.New("404 not found")
)

// A web is what there is to crawl, and how many look at it at a time.
type web struct {
	pages      map[string]*page
	now, most  int
	host       map[string]int
	mostOfHost int
}

type page struct {
	latency time.Duration
	busy    int // fails that often first
	links   []string
}

func newWeb() *web {
	const ms = time.Millisecond
	return &web{host: map[string]int{}, pages: map[string]*page{
		"go.example/":         {50 * ms, 0, []string{"go.example/doc", "go.example/blog", "go.example/lost", "play.example/"}},
		"go.example/doc":      {100 * ms, 0, []string{"go.example/", "go.example/doc/spec", "go.example/doc/faq"}},
		"go.example/doc/spec": {300 * ms, 0, nil},
		"go.example/doc/faq":  {80 * ms, 1, []string{"go.example/doc"}}, // comes at the second try
		"go.example/blog":     {120 * ms, 0, []string{"go.example/blog/1", "go.example/blog/2", "slow.example/"}},
		"go.example/blog/1":   {90 * ms, 0, []string{"go.example/blog"}},
		"go.example/blog/2":   {90 * ms, 9, nil}, // is always busy
		"play.example/":       {60 * ms, 0, []string{"play.example/a", "play.example/b", "days.example/1"}},
		"play.example/a":      {200 * ms, 0, nil},
		"play.example/b":      {200 * ms, 0, []string{"play.example/c"}},
		"play.example/c":      {200 * ms, 0, nil},
		"slow.example/":       {time.Hour, 0, nil},
	}}
}

func hostOf(url string) string {
	host, _, _ := strings.Cut(url, "/")
	return host
}

// get is the links of a page.
func (w *web) get(ctx context.Context, url string) ([]string, error) {
	host := hostOf(url)
	w.now++
	w.host[host]++
	w.most, w.mostOfHost = max(w.most, w.now), max(w.mostOfHost, w.host[host])
	defer func() { w.now--; w.host[host]-- }()

	p := w.pages[url]
	if day, err := strconv.Atoi(strings.TrimPrefix(url, "days.example/")); err == nil {
		// A calendar: each day has a link to the next, without end.
		p = &page{latency: 300 * time.Millisecond, links: []string{fmt.Sprint("days.example/", day+1)}}
	}
	if p == nil {
		return nil, errMissing
	}
	if err := asyncio.Sleep(ctx, p.latency); err != nil {
		return nil, err
	}
	if p.busy > 0 {
		p.busy--
		return nil, errBusy
	}
	return p.links, nil
}
