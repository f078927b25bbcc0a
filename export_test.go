package asyncio

// Searched is how many tasks the last search of the wait graph of l came by that began
// with a wait.
func Searched(l *Loop) (n int) {
	for t := range l.e.tasks.All {
		if t.coro != nil && t.coro.seen+1 >= l.e.searches {
			n++
		}
	}
	return n
}
