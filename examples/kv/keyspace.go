package main

import (
	"container/heap"
	"slices"
)

// A value is what a key has: a *text, *list, *hash or *set.
type value interface {
	head() *entry
	kind() string
}

// An entry is what all values have.
type entry struct {
	key     string
	expires int64 // in Unix milliseconds, or 0 for never
	place   int   // in database.expiring, if it expires
}

func (e *entry) head() *entry { return e }

// A database is what a client selects with SELECT. It belongs to the loop.
type database struct {
	*engine
	number   int
	keys     dict[value]
	expiring expiries
	watchers map[string][]*session // of keys, by WATCH
	waiters  map[string][]*waiter  // for lists, in order of arrival
}

// find is the value of a key, or nil. What has expired is not there, whether or
// not the sweeper has been here.
func (d *database) find(key []byte) value {
	v, ok := d.keys.get(key)
	if !ok {
		return nil
	}
	if e := v.head(); e.expires != 0 && e.expires < d.now() {
		d.expire(e)
		return nil
	}
	return v
}

// put gives a key a new value, without expiry.
func (d *database) put(key []byte, v value) {
	e := v.head()
	if old, ok := d.keys.get(key); ok {
		d.expireAt(old.head(), 0)
		e.key = old.head().key
	} else {
		e.key = string(key)
	}
	d.keys.put(e.key, v)
}

// remove takes a key out, which is a change.
func (d *database) remove(e *entry) {
	d.expireAt(e, 0)
	d.keys.remove(e.key)
	d.touch(e.key)
}

// shrunk is called after something was taken out of a list, hash or set, of which
// n items are left: an empty one does not exist.
func (d *database) shrunk(e *entry, n int) {
	if n == 0 {
		d.remove(e)
	} else {
		d.touch(e.key)
	}
}

// touch tells the transactions of those who watch a key that it has changed.
func (d *database) touch(key string) {
	for _, s := range d.watchers[key] {
		s.tx.dirty = true
	}
}

// flush removes all keys.
func (d *database) flush() {
	for key, sessions := range d.watchers {
		if d.keys.has([]byte(key)) {
			for _, s := range sessions {
				s.tx.dirty = true
			}
		}
	}
	d.keys, d.expiring = dict[value]{}, nil
}

// expireAt makes a key expire after the given time; 0 is never.
func (d *database) expireAt(e *entry, t int64) {
	if t != 0 && (len(d.expiring) == 0 || t < d.expiring[0].expires) {
		d.earlier.Set() // the sweeper has to get up for it
	}
	switch was := e.expires; {
	case was == 0 && t != 0:
		e.expires = t
		heap.Push(&d.expiring, e)
	case was != 0 && t == 0:
		heap.Remove(&d.expiring, e.place)
		e.expires = 0
	case was != t:
		e.expires = t
		heap.Fix(&d.expiring, e.place)
	}
}

func (d *database) expire(e *entry) {
	d.stats.expired++
	d.remove(e)
}

// sweep removes up to n keys that have expired.
func (d *database) sweep(n int) (removed int) {
	for ; removed < n && len(d.expiring) > 0 && d.expiring[0].expires < d.now(); removed++ {
		d.expire(d.expiring[0])
	}
	return removed
}

// expiries is a heap of the entries that expire, the earliest first.
type expiries []*entry

func (h expiries) Len() int           { return len(h) }
func (h expiries) Less(i, j int) bool { return h[i].expires < h[j].expires }
func (h *expiries) Push(e any)        { e.(*entry).place = len(*h); *h = append(*h, e.(*entry)) }
func (h expiries) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *expiries) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}

// without takes x out of the list of a key, and the list out of m with its last
// item.
func without[T comparable](m map[string][]T, key string, x T) {
	i := slices.Index(m[key], x)
	if i < 0 {
		return
	}
	if m[key] = slices.Delete(m[key], i, i+1); len(m[key]) == 0 {
		delete(m, key)
	}
}
