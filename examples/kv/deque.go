package main

// A deque is a ring of strings that grows and shrinks at both ends. Its zero
// value is empty.
type deque struct {
	ring  []string // its length is zero or a power of two
	first int
	n     int
}

func (d *deque) len() int { return d.n }

// at is the item i places from the left.
func (d *deque) at(i int) string { return d.ring[d.place(i)] }

func (d *deque) place(i int) int { return (d.first + i) & (len(d.ring) - 1) }

func (d *deque) push(left bool, s string) {
	if d.n == len(d.ring) {
		d.resize(max(4, 2*d.n))
	}
	if left {
		d.first = d.place(-1)
		d.ring[d.first] = s
	} else {
		d.ring[d.place(d.n)] = s
	}
	d.n++
}

// pop takes the item at one end of a deque that is not empty.
func (d *deque) pop(left bool) string {
	i := d.first
	if left {
		d.first = d.place(1)
	} else {
		i = d.place(d.n - 1)
	}
	s := d.ring[i]
	d.ring[i] = ""
	d.n--
	if len(d.ring) > 64 && d.n < len(d.ring)/8 {
		d.resize(len(d.ring) / 4)
	}
	return s
}

func (d *deque) resize(size int) {
	ring := make([]string, size)
	head := copy(ring[:d.n], d.ring[d.first:])
	copy(ring[head:d.n], d.ring)
	d.ring, d.first = ring, 0
}
