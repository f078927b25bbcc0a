package goker

import "github.com/asyncio-go/asyncio/sim/bugs"

var syncthing = []bugs.Bug{}
