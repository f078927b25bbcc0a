// Package socket is the system calls that package aionet makes on descriptors. None
// of them waits: where the system would, they return [ErrWouldBlock]. Addresses are
// those of package net and netip.
//
// It exists on Unix; elsewhere aionet goes through package net.
package socket

import "errors"

// ErrWouldBlock is the error of an operation that the descriptor is not ready for.
var ErrWouldBlock = errors.New("the operation would block")
