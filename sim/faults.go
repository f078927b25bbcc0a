package sim

import (
	"fmt"
	"strings"
)

// Faults are kinds of faults, or-ed together: those that a campaign may inject into the
// worlds of [Options.Faults].
//
// Under each seed a random part of them is on, so that some runs have one kind alone and
// none has to survive everything: what one fault makes a program do often hides what
// another would. (Groce et al., "Swarm Testing", ISSTA 2012.) Under the first seed none
// is. Those that are on come and go at drawn times, at a pace that is drawn too; each
// breaks something a few times and heals it before the next. So in the end the world is
// whole, and what a program still does not do then it never will. [World.Quiet] ends the
// faults before that.
//
// All of it belongs to the schedule: shrinking leaves the faults that matter, and the log
// of a report tells them.
type Faults uint16

// The kinds of faults.
const (
	FaultCrash     Faults = 1 << iota // hosts crash, one or all at once, and start again
	FaultPause                        // hosts are paused
	FaultSkew                         // clocks of hosts jump, or drift
	FaultDisk                         // syncs of disks fail
	FaultLatency                      // the network becomes slow
	FaultLoss                         // it loses packets, and doubles and reorders datagrams
	FaultPartition                    // hosts are cut off from each other, both ways or one way

	// AllFaults are all of them.
	AllFaults = 1<<iota - 1
)

// kinds are the faults with their names, in the order of their bits.
var kinds = [...]struct {
	name   string
	strike strike // nil if it is drawn where it strikes
}{
	{"crash", (*World).strikeCrash},
	{"pause", (*World).strikePause},
	{"skew", (*World).strikeSkew},
	{"disk", nil},
	{"latency", (*World).strikeLatency},
	{"loss", (*World).strikeLoss},
	{"partition", (*World).strikePartition},
}

// String is the names of the faults.
func (f Faults) String() string {
	var names []string
	for i, k := range kinds {
		if f&(1<<i) != 0 {
			names = append(names, k.name)
		}
	}
	if rest := f &^ AllFaults; rest != 0 {
		names = append(names, fmt.Sprintf("%#x", uint16(rest)))
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}
