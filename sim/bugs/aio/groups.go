package aio

import "github.com/asyncio-go/asyncio/sim/bugs"

func groups() []bugs.Bug { return nil }
