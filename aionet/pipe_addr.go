package aionet

import "net"

// A pipeAddr is the name of a file.
type pipeAddr string

var _ net.Addr = pipeAddr("")

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }
