// Package benchmarks measures asyncio against the targets of its design and
// against its peers. It is a module of its own, so that whoever uses asyncio
// never downloads it.
//
// Every benchmark is named for its work, and for who does it:
// BenchmarkYield/peer=ours, BenchmarkYield/peer=goroutines. The peers in other
// languages print their results under the same names, so that one program,
// cmd/ratios, reads them all.
package benchmarks
