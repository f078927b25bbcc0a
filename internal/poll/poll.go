// Package poll tells an event loop which of its file descriptors have become
// ready. There is one poller a system, chosen when the program is built:
//
//   - epoll on Linux, edge-triggered, its descriptor nested in Go's own netpoller;
//   - kqueue on macOS and the BSDs with the build tag asyncio_kqueue: it builds,
//     and nobody has run it in CI yet;
//   - Go's own netpoller, with a goroutine for each wait, on every other Unix, and
//     on Linux with the build tag asyncio_netpoll;
//   - none elsewhere: Open fails, and package aionet goes through package net.
//
// # Contract
//
// Every poller behaves as follows; the tests of this package are the same for all.
//
//   - A Poller belongs to the goroutine that runs the loop. Only Wake, and what
//     Watch starts, may run beside it.
//   - Add watches a descriptor for both directions until Remove, under a key that
//     the events carry. Descriptors that are always ready, such as regular files,
//     are refused. The descriptor stays its owner's, who has made it non-blocking,
//     and who calls Remove before closing it.
//   - Events are edges. After the owner has found the descriptor not ready (EAGAIN,
//     or fewer bytes than asked for) and has called Expect, there is an event once it
//     is ready again. There may be events without Expect, and events for what is not
//     ready any more: they are hints, and the operation itself tells. The end of a
//     stream and an error make both directions ready.
//   - Poll asks without waiting. Events that it has returned are forgotten.
//   - Arm, then Sleep: Sleep returns once there are events, which it reports, at the
//     time that Arm was given, or after a Wake that came after Arm. A Wake is lost by
//     no interleaving; Sleep may return early. It parks the goroutine where the system allows that,
//     so that a sleeping loop holds no thread.
//   - After Close nothing is called and no goroutine is left.
package poll

import "errors"

// A Direction is what a descriptor is ready for.
type Direction uint8

// The two directions.
const (
	Read Direction = iota
	Write
)

// An Event says that a descriptor may be ready. HungUp says that nothing more comes
// from the other side, or that urgent data is there, at which a read stops: there may be
// no further edge for reading.
type Event struct {
	Key                        uint64
	Readable, Writable, HungUp bool
}

// ErrNotPollable is the error of Add for a descriptor that is always ready.
var ErrNotPollable = errors.New("the descriptor cannot be polled; regular files are always ready, use Blocking for them")

// ErrUnsupported is the error of Open where there is no poller.
var ErrUnsupported = errors.New("this system has no poller for file descriptors here")
