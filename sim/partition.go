package sim

import "slices"

// A cut is a way that packets do not pass.
type cut struct {
	from, to *stack
	hold     bool // they are kept, not lost
}

// Partition keeps packets from passing between the hosts of a and those of b, either
// way, those included that are under way. No b is all other hosts. They are lost:
// connections stall, and fail once they have waited too long, as on Linux: an attempt to
// connect after two minutes, one with something to send after a quarter of an hour, one
// that is idle when its keep-alive probes have had no answer. Hosts that are made later
// are in neither.
func (n *Network) Partition(a, b []*Host) { n.cut(a, b, false, true) }

// PartitionOneWay is [Network.Partition] for the packets from one side to the other
// alone. What goes the other way arrives, but is not acknowledged.
func (n *Network) PartitionOneWay(from, to []*Host) { n.cut(from, to, false, false) }

// Hold is [Network.Partition] with packets that are kept, in order, until
// [Network.Release] or [Network.Heal].
func (n *Network) Hold(a, b []*Host) { n.cut(a, b, true, true) }

// Release lets the packets pass that [Network.Hold] has kept, and those that follow.
func (n *Network) Release(a, b []*Host) {
	n.cuts = slices.DeleteFunc(n.cuts, func(c cut) bool {
		return c.hold && (n.isBetween(c, a, b) || n.isBetween(c, b, a))
	})
	n.resume()
}

// Heal ends every Partition and every Hold.
func (n *Network) Heal() {
	n.cuts = nil
	n.resume()
}

func (n *Network) cut(a, b []*Host, hold, bothWays bool) {
	for _, x := range n.stacksOf(a) {
		for _, y := range n.others(a, b) {
			n.cuts = append(n.cuts, cut{x, y, hold})
			if bothWays {
				n.cuts = append(n.cuts, cut{y, x, hold})
			}
		}
	}
	for _, at := range n.stacks {
		for _, s := range at.sockets {
			if c, ok := s.(*stream); ok && c.severed() {
				c.suspect()
			}
		}
	}
}

func (n *Network) stacksOf(hosts []*Host) []*stack {
	all := make([]*stack, len(hosts))
	for i, h := range hosts {
		all[i] = n.stackOf(h)
	}
	return all
}

// others are the stacks of b, or if that is empty of all hosts that are not in a.
func (n *Network) others(a, b []*Host) []*stack {
	if len(b) > 0 {
		return n.stacksOf(b)
	}
	for _, h := range append([]*Host{nil}, n.w.hosts...) {
		if !slices.Contains(a, h) {
			b = append(b, h)
		}
	}
	return n.stacksOf(b)
}

func (n *Network) isBetween(c cut, a, b []*Host) bool {
	return slices.Contains(a, c.from.host) && slices.Contains(n.others(a, b), c.to)
}

// stopped reports whether the packet does not pass, and does with it what is to be done.
func (n *Network) stopped(p *packet) bool {
	hold := false
	for _, c := range n.cuts {
		if c.from == p.from && c.to == p.to {
			if !c.hold {
				n.tell(p, "lost in a partition")
				p.lose()
				return true
			}
			hold = true
		}
	}
	if hold {
		n.tell(p, "held")
		n.held = append(n.held, p)
		p.lose()
	}
	return hold
}

// blocked reports whether packets from one host to another do not pass.
func (n *Network) blocked(from, to *stack) bool {
	return slices.ContainsFunc(n.cuts, func(c cut) bool { return c.from == from && c.to == to })
}

// resume sends what was held, in order; what still does not pass is held again.
func (n *Network) resume() {
	held := n.held
	n.held = nil
	for _, p := range held {
		if p.boot == p.from.boots {
			n.launch(p, n.spanBetween(p.from, p.to).min)
		}
	}
}
