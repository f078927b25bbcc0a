// Package goker has the blocking bugs of GoKer, the kernels of GoBench, told again as
// tasks of a loop: from the descriptions that were published and from the issues and
// the fixes of the projects in which they were found. (Yuan et al., "GoBench: A
// Benchmark Suite of Real-World Go Concurrency Bugs", CGO 2021.)
package goker

import (
	"slices"

	"github.com/asyncio-go/asyncio/sim/bugs"
)

// All are the bugs of the package, by project.
func All() []bugs.Bug {
	return slices.Concat(cockroach, etcd, grpc, hugo, istio, kubernetes, moby, serving, syncthing)
}
