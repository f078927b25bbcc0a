package goker

import "github.com/asyncio-go/asyncio/sim/bugs"

var grpc = []bugs.Bug{}
