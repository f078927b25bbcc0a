package sim

import (
	"slices"
	"time"
)

// latencies are those of a slow network: beside the pace of a program, and beside the
// timeouts that are usual.
var latencies = [...]span{
	{10 * time.Millisecond, 100 * time.Millisecond},
	{100 * time.Millisecond, time.Second},
	{time.Second, 10 * time.Second},
}

func (w *World) strikeLatency() (heal func()) {
	before := w.net.latency
	w.net.latency = latencies[w.s.draw(len(latencies), "the latency of the network")]
	w.Logf("the network is slow: %v to %v", w.net.latency.min, w.net.latency.max)
	return func() {
		w.net.latency = before
		w.Logf("the network is as fast as it was")
	}
}

// losses are of a hundred packets.
var losses = [...]int{5, 20, 50}

func (w *World) strikeLoss() (heal func()) {
	n := &w.net
	loss, duplication, reordering := n.loss, n.duplication, n.reordering
	n.loss = losses[w.s.draw(len(losses), "the loss of the network")]
	n.duplication, n.reordering = n.loss, n.loss
	w.Logf("the network loses %d of a hundred packets", n.loss)
	return func() {
		n.loss, n.duplication, n.reordering = loss, duplication, reordering
		w.Logf("the network loses no more packets than it did")
	}
}

func (w *World) strikePartition() (heal func()) {
	if len(w.hosts) == 0 {
		return nil
	}
	n, before := &w.net, len(w.net.cuts)
	side := w.oneSide()
	switch w.s.draw(3, "the kind of a partition") {
	case 0:
		n.Partition(side, nil)
		w.Logf("%v are cut off", side)
	case 1:
		n.PartitionOneWay(side, nil)
		w.Logf("%v are not heard by the others", side)
	default:
		n.Hold(side, nil)
		w.Logf("%v are cut off, and what is sent is kept", side)
	}
	mine := slices.Clone(n.cuts[before:])
	return func() {
		for _, c := range mine { // of equal ones, which the program may have made, one each
			if i := slices.Index(n.cuts, c); i >= 0 {
				n.cuts = slices.Delete(n.cuts, i, i+1)
			}
		}
		n.resume()
		w.Logf("%v are no longer cut off", side)
	}
}

// oneSide draws a host, or several. The world's own tasks are always on the other side.
func (w *World) oneSide() []*Host {
	first := w.s.draw(len(w.hosts), "the sides of a partition")
	side := w.hosts[first : first+1 : first+1]
	if w.s.draw(2, "the sides of a partition") == 1 {
		for i, h := range w.hosts {
			if i != first && w.s.draw(2, "the sides of a partition") == 1 {
				side = append(side, h)
			}
		}
	}
	return side
}
