package sim

// Faults are kinds of faults, or-ed together.
type Faults uint16

// The kinds of faults.
const (
	FaultDisk Faults = 1 << iota // syncs of disks fail
)

// faults are those of a run.
type faults struct {
	on Faults
}
