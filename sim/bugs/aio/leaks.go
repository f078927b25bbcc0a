package aio

import "github.com/asyncio-go/asyncio/sim/bugs"

func leaks() []bugs.Bug { return nil }
