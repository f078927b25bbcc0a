package goker

import "github.com/asyncio-go/asyncio/sim/bugs"

const mobyPulls = "https://github.com/moby/moby/pull/"

var moby = []bugs.Bug{
	bug("moby#4395", mobyPulls+"4395",
		"a client that gives up leaves behind who sends it the result", moby4395),
	bug("moby#4951", mobyPulls+"4951",
		"the global lock is taken again by who holds the lock of a device, and both by others in the other order", moby4951),
	bug("moby#7559", mobyPulls+"7559",
		"a proxy that cannot dial goes on to the next packet with its lock held", moby7559),
	bug("moby#17176", mobyPulls+"17176",
		"a clean-up that has nothing to do returns with the lock held", moby17176),
	bug("moby#21233", mobyPulls+"21233",
		"a test that misses an update stops to receive, and what it waits for sends", moby21233),
	bug("moby#25384", mobyPulls+"25384",
		"all are waited for after the start of the first", moby25384),
	bug("moby#27782", mobyPulls+"27782",
		"who should receive events waits for one that comes behind them", moby27782),
	bug("moby#28462", mobyPulls+"28462",
		"a monitor is sent the end under the lock that it takes first", moby28462),
	bug("moby#29733", mobyPulls+"29733",
		"a plugin that is active is marked as if it were not, and nobody will activate it", moby29733),
	bug("moby#30408", mobyPulls+"30408",
		"who waits for a plugin to be active is woken by the failure and waits on", moby30408),
	bug("moby#33293", mobyPulls+"33293",
		"an error is sent before the channel is returned to who could receive it", moby33293),
	bug("moby#33781", mobyPulls+"33781",
		"a monitor that is stopped leaves behind the probe that sends it a result", moby33781),
	bug("moby#36114", mobyPulls+"36114",
		"what cleans up after a failure takes the lock that is held", moby36114),
}
