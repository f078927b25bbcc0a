package goker

import "github.com/asyncio-go/asyncio/sim/bugs"

var istio = []bugs.Bug{}
