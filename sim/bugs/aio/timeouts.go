package aio

import "github.com/asyncio-go/asyncio/sim/bugs"

func timeouts() []bugs.Bug { return nil }
