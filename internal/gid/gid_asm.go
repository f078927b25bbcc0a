//go:build (amd64 || arm64) && !asyncio_noasm

package gid

// Current is the calling goroutine's identity: the address of its g, which
// no two living goroutines share and which does not move with the stack.
func Current() uintptr

// CallerPC is the return address of the function that calls it: a place in
// the caller's caller. The function that asks must not be inlined.
func CallerPC() uintptr
