package goker

import "github.com/asyncio-go/asyncio/sim/bugs"

const kubernetesPulls = "https://github.com/kubernetes/kubernetes/pull/"

var kubernetes = []bugs.Bug{
	bug("kubernetes#1321", kubernetesPulls+"1321",
		"events are sent under the lock that a watcher takes to stop being sent to", kubernetes1321),
	bug("kubernetes#5316", kubernetesPulls+"5316",
		"a request that timed out leaves behind who sends its result", kubernetes5316),
	bug("kubernetes#6632", kubernetesPulls+"6632",
		"a writer holds the lock while the channel is full, and who empties it takes the lock to close it", kubernetes6632),
	bug("kubernetes#10182", kubernetesPulls+"10182",
		"a status is sent under the lock that its receiver takes to delete another", kubernetes10182),
	bug("kubernetes#11298", kubernetesPulls+"11298",
		"a loop that ends signals a condition before anybody waits for it, and waits for who will", kubernetes11298),
	bug("kubernetes#13135", kubernetesPulls+"13135",
		"the locks of a cache and of its watcher are taken in both orders", kubernetes13135),
	bug("kubernetes#25331", kubernetesPulls+"25331",
		"an error is sent to a watcher that has stopped", kubernetes25331),
	bug("kubernetes#26980", kubernetesPulls+"26980",
		"a notification is sent under the lock that is needed to add another", kubernetes26980),
	bug("kubernetes#30872", kubernetesPulls+"30872",
		"the locks of an informer and of its store are taken in both orders", kubernetes30872),
	bug("kubernetes#38669", kubernetesPulls+"38669",
		"events are sent to a watcher that has stopped", kubernetes38669),
	bug("kubernetes#58107", kubernetesPulls+"58107",
		"a worker waits for its queue under a read lock, and a writer holds up the other workers", kubernetes58107),
	bug("kubernetes#62464", kubernetesPulls+"62464",
		"a read lock is taken twice, with a writer in between", kubernetes62464),
	bug("kubernetes#70277", kubernetesPulls+"70277",
		"a poller is left behind when what it polls for has come", kubernetes70277),
}
