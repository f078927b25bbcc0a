// Package replica is one node of a replicated key-value store, and a client of it. Raft
// decides what the nodes agree on; what they say to each other, what they write to disk
// and what they answer is here, on one event loop: tasks for the clock, for what raft
// has ready, for every peer and every request. No lock, no channel, no goroutine.
//
// Time, network, disk and chance are the loop's and the [Config]'s. So a node runs
// without a change where those are simulated, which is what the tests do.
package replica
