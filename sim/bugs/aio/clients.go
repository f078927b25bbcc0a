package aio

import "github.com/asyncio-go/asyncio/sim/bugs"

func clients() []bugs.Bug { return nil }
