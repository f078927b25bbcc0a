// Package bugs is what the simulator is measured by: real bugs and classic ones, each
// as a program that has it and one that does not.
package bugs

import "github.com/asyncio-go/asyncio/sim"

// A Bug is one bug.
type Bug struct {
	Name  string // such as "etcd#6708", or "dining philosophers"
	From  string // where it is described
	What  string // what goes wrong, in a line
	Buggy sim.Func
	Fixed sim.Func
}
