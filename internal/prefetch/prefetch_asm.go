//go:build (amd64 || arm64) && !asyncio_noasm

package prefetch

// Lines fetches the 12 cache lines that begin at p. It is a hint: p may be any
// number, also the address of what has been moved or freed.
func Lines(p uintptr)
