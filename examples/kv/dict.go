package main

// A dict is a map whose items also have numbers, from 0 without a gap. That gives
// it what a map lacks: an order, a random item, and a scan that goes on where it
// was. Its zero value is empty.
type dict[V any] struct {
	index map[string]int
	items []item[V]
}

type item[V any] struct {
	key   string
	value V
}

func (d *dict[V]) len() int { return len(d.items) }

func (d *dict[V]) has(key []byte) bool {
	_, ok := d.index[string(key)]
	return ok
}

func (d *dict[V]) get(key []byte) (v V, ok bool) {
	i, ok := d.index[string(key)]
	if !ok {
		return v, false
	}
	return d.items[i].value, true
}

// put sets the value of a key and reports whether the key is new.
func (d *dict[V]) put(key string, v V) bool {
	if i, ok := d.index[key]; ok {
		d.items[i].value = v
		return false
	}
	if d.index == nil {
		d.index = make(map[string]int)
	}
	d.index[key] = len(d.items)
	d.items = append(d.items, item[V]{key, v})
	return true
}

// remove takes a key out and reports whether it was there. The last item gets its
// number: it moves forward, so a scan that goes backward does not miss it.
func (d *dict[V]) remove(key string) bool {
	i, ok := d.index[key]
	if !ok {
		return false
	}
	delete(d.index, key)
	last := len(d.items) - 1
	if i != last {
		d.items[i] = d.items[last]
		d.index[d.items[i].key] = i
	}
	d.items[last] = item[V]{}
	d.items = d.items[:last]
	if cap(d.items) > 64 && last < cap(d.items)/4 {
		d.items = append(make([]item[V], 0, cap(d.items)/2), d.items...)
	}
	return true
}

// scan calls f for up to n items before the one with the number cursor, and
// returns the cursor to go on with: zero at the end. Zero begins a scan. Whatever
// is there from its beginning to its end is seen.
func (d *dict[V]) scan(cursor uint64, n int, f func(key string, v V)) uint64 {
	i := len(d.items)
	if cursor != 0 {
		i = int(min(cursor, uint64(i)))
	}
	for ; i > 0 && n > 0; n-- {
		i--
		f(d.items[i].key, d.items[i].value)
	}
	return uint64(i)
}
